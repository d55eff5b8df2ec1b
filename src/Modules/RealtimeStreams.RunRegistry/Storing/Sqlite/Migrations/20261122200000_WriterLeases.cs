using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Sqlite.Migrations
{
    /// <inheritdoc />
    internal partial class WriterLeases : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "writer_doubted",
                table: "streams",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "writer_lease",
                table: "streams",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "writer_until",
                table: "streams",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "streams_writer_until",
                table: "streams",
                column: "writer_until",
                filter: "writer_until IS NOT NULL");

            // Streams that are there already have a lease from now on, as those of runs have that are no input streams.
            migrationBuilder.Sql(
                """
                UPDATE streams SET writer_until = (CAST(strftime('%s', 'now') AS INTEGER) + 600) * 1000000
                WHERE outcome IS NULL AND name IS NOT NULL AND key NOT LIKE '$input:_%';
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "streams_writer_until",
                table: "streams");

            migrationBuilder.DropColumn(
                name: "writer_doubted",
                table: "streams");

            migrationBuilder.DropColumn(
                name: "writer_lease",
                table: "streams");

            migrationBuilder.DropColumn(
                name: "writer_until",
                table: "streams");
        }
    }
}
