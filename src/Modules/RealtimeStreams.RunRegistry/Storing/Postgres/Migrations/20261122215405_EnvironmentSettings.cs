using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Postgres.Migrations
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
                type: "text",
                nullable: true,
                collation: "C");
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
