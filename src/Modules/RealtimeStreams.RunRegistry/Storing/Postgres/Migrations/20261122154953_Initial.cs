using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Postgres.Migrations
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
                    id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_environments", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "runs",
                columns: table => new
                {
                    environment = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    task_id = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    parent = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    root = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    tags = table.Column<string[]>(type: "text[]", nullable: false),
                    status = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    error = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    completed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    stream_count = table.Column<int>(type: "integer", nullable: false),
                    pending = table.Column<int>(type: "integer", nullable: false),
                    pending_since = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
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
                    environment = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    origin = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
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
                    environment = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    run = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    key = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    outcome = table.Column<int>(type: "integer", nullable: true),
                    closed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
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
                name: "runs_tags",
                table: "runs",
                column: "tags")
                .Annotation("Npgsql:IndexMethod", "gin");

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
