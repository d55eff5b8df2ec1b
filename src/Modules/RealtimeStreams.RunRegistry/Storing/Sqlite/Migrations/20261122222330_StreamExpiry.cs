using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Sqlite.Migrations
{
    /// <inheritdoc />
    internal partial class StreamExpiry : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "expires_at",
                table: "streams",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "retention",
                table: "runs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "streams_expires_at",
                table: "streams",
                column: "expires_at",
                filter: "expires_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "streams_expires_in_environment",
                table: "streams",
                columns: new[] { "environment", "expires_at" },
                filter: "expires_at IS NOT NULL");

            // Due at once: the first look finds out when something of them expires.
            migrationBuilder.Sql("UPDATE streams SET expires_at = created_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "streams_expires_at",
                table: "streams");

            migrationBuilder.DropIndex(
                name: "streams_expires_in_environment",
                table: "streams");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "streams");

            migrationBuilder.DropColumn(
                name: "retention",
                table: "runs");
        }
    }
}
