using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Sqlite.Migrations
{
    /// <inheritdoc />
    internal partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "environments",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_environments", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "runs",
                columns: table => new
                {
                    environment = table.Column<string>(type: "TEXT", nullable: false),
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    task_id = table.Column<string>(type: "TEXT", nullable: true),
                    parent = table.Column<string>(type: "TEXT", nullable: true),
                    root = table.Column<string>(type: "TEXT", nullable: true),
                    tags = table.Column<string>(type: "TEXT", nullable: false),
                    status = table.Column<int>(type: "INTEGER", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false),
                    error = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    completed_at = table.Column<long>(type: "INTEGER", nullable: true),
                    stream_count = table.Column<int>(type: "INTEGER", nullable: false),
                    pending = table.Column<int>(type: "INTEGER", nullable: false),
                    pending_since = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_runs", x => new { x.environment, x.id });
                    table.ForeignKey(
                        name: "FK_runs_environments_environment",
                        column: x => x.environment,
                        principalTable: "environments",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "secret_keys",
                columns: table => new
                {
                    environment = table.Column<string>(type: "TEXT", nullable: false),
                    hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    origin = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_secret_keys", x => new { x.environment, x.hash });
                    table.ForeignKey(
                        name: "FK_secret_keys_environments_environment",
                        column: x => x.environment,
                        principalTable: "environments",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "streams",
                columns: table => new
                {
                    environment = table.Column<string>(type: "TEXT", nullable: false),
                    run = table.Column<string>(type: "TEXT", nullable: false),
                    key = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    outcome = table.Column<int>(type: "INTEGER", nullable: true),
                    closed_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_streams", x => new { x.environment, x.run, x.key });
                    table.ForeignKey(
                        name: "FK_streams_runs_environment_run",
                        columns: x => new { x.environment, x.run },
                        principalTable: "runs",
                        principalColumns: new[] { "environment", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "runs_newest",
                table: "runs",
                columns: new[] { "environment", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "runs_newest_of_status",
                table: "runs",
                columns: new[] { "environment", "status", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "runs_newest_of_task",
                table: "runs",
                columns: new[] { "environment", "task_id", "created_at", "id" });

            migrationBuilder.CreateIndex(
                name: "runs_pending",
                table: "runs",
                columns: new[] { "environment", "id" },
                filter: "pending <> 0");

            migrationBuilder.CreateIndex(
                name: "secret_keys_hash",
                table: "secret_keys",
                column: "hash",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "secret_keys");

            migrationBuilder.DropTable(
                name: "streams");

            migrationBuilder.DropTable(
                name: "runs");

            migrationBuilder.DropTable(
                name: "environments");
        }
    }
}
