using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Sqlite.Migrations
{
    /// <inheritdoc />
    internal partial class OpenRuns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "runs_open",
                table: "runs",
                column: "environment",
                filter: "kind >= 0 AND status = 0 AND pending < 2");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "runs_open",
                table: "runs");
        }
    }
}
