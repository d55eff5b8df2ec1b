using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Postgres.Migrations
{
    /// <inheritdoc />
    internal partial class RevocationsByTime : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "token_revocations_newest",
                table: "token_revocations");

            migrationBuilder.CreateIndex(
                name: "token_revocations_newest",
                table: "token_revocations",
                column: "created_at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "token_revocations_newest",
                table: "token_revocations");

            migrationBuilder.CreateIndex(
                name: "token_revocations_newest",
                table: "token_revocations",
                columns: new[] { "environment", "created_at" });
        }
    }
}
