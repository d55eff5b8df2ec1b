using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Postgres.Migrations
{
    /// <inheritdoc />
    internal partial class TokenRevocations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "token_revocations",
                columns: table => new
                {
                    environment = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    token = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    made_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    expires_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_token_revocations", x => new { x.environment, x.token });
                    table.ForeignKey(
                        name: "FK_token_revocations_environments_environment",
                        column: x => x.environment,
                        principalTable: "environments",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "token_revocations_expired",
                table: "token_revocations",
                column: "expires_at",
                filter: "expires_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "token_revocations_newest",
                table: "token_revocations",
                columns: new[] { "environment", "created_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "token_revocations");
        }
    }
}
