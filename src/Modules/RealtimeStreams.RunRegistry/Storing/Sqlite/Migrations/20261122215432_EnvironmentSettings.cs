using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Sqlite.Migrations
{
    /// <inheritdoc />
    internal partial class EnvironmentSettings : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "settings",
                table: "environments",
                type: "TEXT",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "settings",
                table: "environments");
        }
    }
}
