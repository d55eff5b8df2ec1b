using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Sqlite.Migrations
{
    /// <inheritdoc />
    internal partial class SecretKeyLives : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "expires_at",
                table: "secret_keys",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "id",
                table: "secret_keys",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<string>(
                name: "prefix",
                table: "secret_keys",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "revoked_at",
                table: "secret_keys",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "rotated_at",
                table: "secret_keys",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "credential_version",
                columns: table => new
                {
                    id = table.Column<int>(type: "INTEGER", nullable: false),
                    version = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_credential_version", x => x.id);
                });

            migrationBuilder.InsertData(
                table: "credential_version",
                columns: new[] { "id", "version" },
                values: new object[] { 1, 0L });

            // Keys from before get an id that tells nothing of them.
            migrationBuilder.Sql("UPDATE secret_keys SET id = 'key_' || lower(hex(randomblob(6)))");

            migrationBuilder.CreateIndex(
                name: "secret_keys_id",
                table: "secret_keys",
                columns: new[] { "environment", "id" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "credential_version");

            migrationBuilder.DropIndex(
                name: "secret_keys_id",
                table: "secret_keys");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "secret_keys");

            migrationBuilder.DropColumn(
                name: "id",
                table: "secret_keys");

            migrationBuilder.DropColumn(
                name: "prefix",
                table: "secret_keys");

            migrationBuilder.DropColumn(
                name: "revoked_at",
                table: "secret_keys");

            migrationBuilder.DropColumn(
                name: "rotated_at",
                table: "secret_keys");
        }
    }
}
