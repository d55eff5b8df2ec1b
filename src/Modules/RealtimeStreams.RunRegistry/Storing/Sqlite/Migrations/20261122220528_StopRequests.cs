using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Sqlite.Migrations
{
    /// <inheritdoc />
    internal partial class StopRequests : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "stop_reason",
                table: "runs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "stop_requested_at",
                table: "runs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "stop_requested_by",
                table: "runs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "stop_seen_at",
                table: "runs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "stop_seen_by",
                table: "runs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "runs_stops",
                table: "runs",
                column: "stop_requested_at",
                filter: "stop_requested_at IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "runs_stops",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "stop_reason",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "stop_requested_at",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "stop_requested_by",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "stop_seen_at",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "stop_seen_by",
                table: "runs");
        }
    }
}
