using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace RealtimeStreams.RunRegistry.Storing.Sqlite.Migrations
{
    /// <inheritdoc />
    internal partial class TokensNamesAndTriggers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "runs_newest",
                table: "runs");

            migrationBuilder.DropIndex(
                name: "runs_newest_of_status",
                table: "runs");

            migrationBuilder.DropIndex(
                name: "runs_newest_of_task",
                table: "runs");

            migrationBuilder.AddColumn<string>(
                name: "name",
                table: "streams",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "ciphertext",
                table: "secret_keys",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "attempt",
                table: "runs",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "claimable_at",
                table: "runs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "idempotency_key",
                table: "runs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "kind",
                table: "runs",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "started_at",
                table: "runs",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "triggered",
                table: "runs",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<string>(
                name: "worker",
                table: "runs",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "named_streams",
                columns: table => new
                {
                    environment = table.Column<string>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    run = table.Column<string>(type: "TEXT", nullable: false),
                    config = table.Column<string>(type: "TEXT", nullable: false),
                    request_token = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_named_streams", x => new { x.environment, x.name });
                    table.ForeignKey(
                        name: "FK_named_streams_runs_environment_run",
                        columns: x => new { x.environment, x.run },
                        principalTable: "runs",
                        principalColumns: new[] { "environment", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "protection_keys",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    xml = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_protection_keys", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "run_data",
                columns: table => new
                {
                    environment = table.Column<string>(type: "TEXT", nullable: false),
                    run = table.Column<string>(type: "TEXT", nullable: false),
                    payload = table.Column<string>(type: "TEXT", nullable: true),
                    payload_type = table.Column<string>(type: "TEXT", nullable: true),
                    metadata = table.Column<string>(type: "TEXT", nullable: true),
                    output = table.Column<string>(type: "TEXT", nullable: true),
                    output_type = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_run_data", x => new { x.environment, x.run });
                    table.ForeignKey(
                        name: "FK_run_data_runs_environment_run",
                        columns: x => new { x.environment, x.run },
                        principalTable: "runs",
                        principalColumns: new[] { "environment", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            // What StreamNames writes.
            migrationBuilder.Sql(
                "UPDATE streams SET name = 'runs/' || replace(replace(run, '%', '%25'), '/', '%2F') || '/' || key");

            migrationBuilder.CreateIndex(
                name: "streams_by_name",
                table: "streams",
                columns: new[] { "environment", "name" },
                filter: "name IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "runs_claimable",
                table: "runs",
                columns: new[] { "environment", "task_id", "claimable_at", "id" },
                filter: "claimable_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "runs_idempotency",
                table: "runs",
                columns: new[] { "environment", "task_id", "idempotency_key" },
                unique: true,
                filter: "idempotency_key IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "runs_newest",
                table: "runs",
                columns: new[] { "environment", "created_at", "id" },
                filter: "kind = 0");

            migrationBuilder.CreateIndex(
                name: "runs_newest_of_status",
                table: "runs",
                columns: new[] { "environment", "status", "created_at", "id" },
                filter: "kind = 0");

            migrationBuilder.CreateIndex(
                name: "runs_newest_of_task",
                table: "runs",
                columns: new[] { "environment", "task_id", "created_at", "id" },
                filter: "kind = 0");

            migrationBuilder.CreateIndex(
                name: "named_streams_run",
                table: "named_streams",
                columns: new[] { "environment", "run" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "named_streams");

            migrationBuilder.DropTable(
                name: "protection_keys");

            migrationBuilder.DropTable(
                name: "run_data");

            migrationBuilder.DropIndex(
                name: "streams_by_name",
                table: "streams");

            migrationBuilder.DropIndex(
                name: "runs_claimable",
                table: "runs");

            migrationBuilder.DropIndex(
                name: "runs_idempotency",
                table: "runs");

            migrationBuilder.DropIndex(
                name: "runs_newest",
                table: "runs");

            migrationBuilder.DropIndex(
                name: "runs_newest_of_status",
                table: "runs");

            migrationBuilder.DropIndex(
                name: "runs_newest_of_task",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "name",
                table: "streams");

            migrationBuilder.DropColumn(
                name: "ciphertext",
                table: "secret_keys");

            migrationBuilder.DropColumn(
                name: "attempt",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "claimable_at",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "idempotency_key",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "kind",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "started_at",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "triggered",
                table: "runs");

            migrationBuilder.DropColumn(
                name: "worker",
                table: "runs");

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
        }
    }
}
