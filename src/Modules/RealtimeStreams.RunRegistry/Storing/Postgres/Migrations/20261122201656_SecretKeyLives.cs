using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Postgres.Migrations
{
    /// <inheritdoc />
    internal partial class SecretKeyLives : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "expires_at",
                table: "secret_keys",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "id",
                table: "secret_keys",
                type: "text",
                nullable: false,
                defaultValue: "",
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "prefix",
                table: "secret_keys",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "revoked_at",
                table: "secret_keys",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "rotated_at",
                table: "secret_keys",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "credential_version",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
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
            migrationBuilder.Sql("UPDATE secret_keys SET id = 'key_' || substr(md5(random()::text || clock_timestamp()::text || encode(hash, 'hex')), 1, 12)");

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
