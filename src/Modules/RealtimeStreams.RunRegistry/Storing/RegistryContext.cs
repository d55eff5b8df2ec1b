using Microsoft.EntityFrameworkCore;

namespace RealtimeStreams.RunRegistry.Storing;

/// <summary>The registry's tables. A provider adds how it compares text and keeps times.</summary>
internal abstract class RegistryContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<StoredEnvironment> Environments => Set<StoredEnvironment>();

    public DbSet<StoredSecretKey> SecretKeys => Set<StoredSecretKey>();

    public DbSet<StoredCredentialVersion> CredentialVersions => Set<StoredCredentialVersion>();

    public DbSet<StoredRun> Runs => Set<StoredRun>();

    public DbSet<StoredStream> Streams => Set<StoredStream>();

    public DbSet<StoredRunData> RunData => Set<StoredRunData>();

    public DbSet<StoredNamedStream> NamedStreams => Set<StoredNamedStream>();

    public DbSet<StoredTokenRevocation> TokenRevocations => Set<StoredTokenRevocation>();

    public DbSet<StoredErasure> Erasures => Set<StoredErasure>();

    public DbSet<StoredProtectionKey> ProtectionKeys => Set<StoredProtectionKey>();

    /// <summary>The runs that can be found: those not erased.</summary>
    public IQueryable<StoredRun> LivingRuns => Runs.Where(run => run.Pending < PendingWork.Erasure);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<StoredEnvironment>(table =>
        {
            table.ToTable("environments");
            table.HasKey(row => row.Id);
            table.Property(row => row.Id).HasColumnName("id");
            table.Property(row => row.CreatedAt).HasColumnName("created_at");
            table.Property(row => row.Settings).HasColumnName("settings");
        });

        modelBuilder.Entity<StoredSecretKey>(table =>
        {
            table.ToTable("secret_keys");
            table.HasKey(row => new { row.Environment, row.Hash });
            table.HasIndex(row => row.Hash).IsUnique().HasDatabaseName("secret_keys_hash");
            table.Property(row => row.Environment).HasColumnName("environment");
            table.Property(row => row.Hash).HasColumnName("hash");
            table.HasIndex(row => new { row.Environment, row.Id }).IsUnique().HasDatabaseName("secret_keys_id");
            table.Property(row => row.Id).HasColumnName("id").IsRequired();
            table.Property(row => row.Prefix).HasColumnName("prefix");
            table.Property(row => row.Ciphertext).HasColumnName("ciphertext");
            table.Property(row => row.Origin).HasColumnName("origin");
            table.Property(row => row.CreatedAt).HasColumnName("created_at");
            table.Property(row => row.RotatedAt).HasColumnName("rotated_at");
            table.Property(row => row.ExpiresAt).HasColumnName("expires_at");
            table.Property(row => row.RevokedAt).HasColumnName("revoked_at");
            table.HasOne<StoredEnvironment>().WithMany().HasForeignKey(row => row.Environment).OnDelete(DeleteBehavior.Cascade);
        });

        modelBuilder.Entity<StoredCredentialVersion>(table =>
        {
            table.ToTable("credential_version");
            table.HasKey(row => row.Id);
            table.Property(row => row.Id).HasColumnName("id").ValueGeneratedNever();
            table.Property(row => row.Version).HasColumnName("version");
            table.HasData(new StoredCredentialVersion { Id = StoredCredentialVersion.TheOne, Version = 0 });
        });

        modelBuilder.Entity<StoredRun>(table =>
        {
            table.ToTable("runs");
            table.HasKey(row => new { row.Environment, row.Id });

            // One index for each way of listing, each ending in what pages are cut by.
            table.HasIndex(row => new { row.Environment, row.CreatedAt, row.Id }).HasDatabaseName("runs_newest").HasFilter("kind = 0");
            table.HasIndex(row => new { row.Environment, row.Status, row.CreatedAt, row.Id })
                .HasDatabaseName("runs_newest_of_status").HasFilter("kind = 0");
            table.HasIndex(row => new { row.Environment, row.TaskId, row.CreatedAt, row.Id })
                .HasDatabaseName("runs_newest_of_task").HasFilter("kind = 0");
            table.HasIndex(row => new { row.Environment, row.TaskId, row.ClaimableAt, row.Id })
                .HasDatabaseName("runs_claimable").HasFilter("claimable_at IS NOT NULL");
            table.HasIndex(row => new { row.Environment, row.TaskId, row.IdempotencyKey })
                .IsUnique().HasDatabaseName("runs_idempotency").HasFilter("idempotency_key IS NOT NULL");

            // Counted by itself: no row is looked at. SQLite takes it for no other query, because none says what is true of every kind; without that it takes it for lists, and sorts them.
            table.HasIndex(row => row.Environment).HasDatabaseName("runs_open").HasFilter("kind >= 0 AND status = 0 AND pending < 2");
            table.HasIndex(row => new { row.Environment, row.Id }, "runs_pending").HasFilter("pending <> 0");

            table.Property(row => row.Environment).HasColumnName("environment");
            table.Property(row => row.Id).HasColumnName("id");
            table.Property(row => row.Kind).HasColumnName("kind");
            table.Property(row => row.TaskId).HasColumnName("task_id");
            table.Property(row => row.Parent).HasColumnName("parent");
            table.Property(row => row.Root).HasColumnName("root");
            table.PrimitiveCollection(row => row.Tags).HasColumnName("tags");
            table.Property(row => row.Status).HasColumnName("status");
            table.Property(row => row.Version).HasColumnName("version");
            table.Property(row => row.Error).HasColumnName("error");
            table.Property(row => row.CreatedAt).HasColumnName("created_at");
            table.Property(row => row.CompletedAt).HasColumnName("completed_at");
            table.Property(row => row.IdempotencyKey).HasColumnName("idempotency_key");
            table.Property(row => row.Triggered).HasColumnName("triggered");
            table.Property(row => row.StartedAt).HasColumnName("started_at");
            table.Property(row => row.Attempt).HasColumnName("attempt");
            table.Property(row => row.Worker).HasColumnName("worker");
            table.Property(row => row.ClaimableAt).HasColumnName("claimable_at");
            table.HasIndex(row => row.StopRequestedAt).HasDatabaseName("runs_stops").HasFilter("stop_requested_at IS NOT NULL");
            table.Property(row => row.StopRequestedAt).HasColumnName("stop_requested_at");
            table.Property(row => row.StopReason).HasColumnName("stop_reason");
            table.Property(row => row.StopRequestedBy).HasColumnName("stop_requested_by");
            table.Property(row => row.StopSeenAt).HasColumnName("stop_seen_at");
            table.Property(row => row.StopSeenBy).HasColumnName("stop_seen_by");
            table.Property(row => row.StreamCount).HasColumnName("stream_count");
            table.Property(row => row.Retention).HasColumnName("retention");
            table.Property(row => row.Bytes).HasColumnName("bytes");
            table.Property(row => row.Pending).HasColumnName("pending");
            table.Property(row => row.PendingSince).HasColumnName("pending_since");
            table.HasOne<StoredEnvironment>().WithMany().HasForeignKey(row => row.Environment).OnDelete(DeleteBehavior.Restrict);
        });

        modelBuilder.Entity<StoredStream>(table =>
        {
            table.ToTable("streams");
            table.HasKey(row => new { row.Environment, row.Run, row.Key });
            table.HasIndex(row => new { row.Environment, row.Name }).HasDatabaseName("streams_by_name").HasFilter("name IS NOT NULL");
            table.Property(row => row.Environment).HasColumnName("environment");
            table.Property(row => row.Run).HasColumnName("run");
            table.Property(row => row.Key).HasColumnName("key");
            table.Property(row => row.Name).HasColumnName("name");
            table.Property(row => row.CreatedAt).HasColumnName("created_at");
            table.Property(row => row.Outcome).HasColumnName("outcome");
            table.Property(row => row.ClosedAt).HasColumnName("closed_at");
            table.HasIndex(row => row.WriterUntil).HasDatabaseName("streams_writer_until").HasFilter("writer_until IS NOT NULL");
            table.Property(row => row.WriterUntil).HasColumnName("writer_until");
            table.Property(row => row.WriterLease).HasColumnName("writer_lease");
            table.Property(row => row.WriterDoubted).HasColumnName("writer_doubted");
            table.HasIndex(row => row.ExpiresAt).HasDatabaseName("streams_expires_at").HasFilter("expires_at IS NOT NULL");
            table.HasIndex(row => new { row.Environment, row.ExpiresAt }).HasDatabaseName("streams_expires_in_environment").HasFilter("expires_at IS NOT NULL");
            table.Property(row => row.ExpiresAt).HasColumnName("expires_at");
            table.HasOne<StoredRun>().WithMany().HasForeignKey(row => new { row.Environment, row.Run }).OnDelete(DeleteBehavior.Cascade);
        });

        modelBuilder.Entity<StoredRunData>(table =>
        {
            table.ToTable("run_data");
            table.HasKey(row => new { row.Environment, row.Run });
            table.Property(row => row.Environment).HasColumnName("environment");
            table.Property(row => row.Run).HasColumnName("run");
            table.Property(row => row.Payload).HasColumnName("payload");
            table.Property(row => row.PayloadType).HasColumnName("payload_type");
            table.Property(row => row.Metadata).HasColumnName("metadata");
            table.Property(row => row.Output).HasColumnName("output");
            table.Property(row => row.OutputType).HasColumnName("output_type");
            table.HasOne<StoredRun>().WithMany().HasForeignKey(row => new { row.Environment, row.Run }).OnDelete(DeleteBehavior.Cascade);
        });

        modelBuilder.Entity<StoredNamedStream>(table =>
        {
            table.ToTable("named_streams");
            table.HasKey(row => new { row.Environment, row.Name });
            table.HasIndex(row => new { row.Environment, row.Run }).IsUnique().HasDatabaseName("named_streams_run");
            table.Property(row => row.Environment).HasColumnName("environment");
            table.Property(row => row.Name).HasColumnName("name");
            table.Property(row => row.Run).HasColumnName("run");
            table.Property(row => row.Config).HasColumnName("config");
            table.Property(row => row.RequestToken).HasColumnName("request_token");
            table.Property(row => row.CreatedAt).HasColumnName("created_at");
            table.HasOne<StoredRun>().WithMany().HasForeignKey(row => new { row.Environment, row.Run }).OnDelete(DeleteBehavior.Cascade);
        });

        modelBuilder.Entity<StoredTokenRevocation>(table =>
        {
            table.ToTable("token_revocations");
            table.HasKey(row => new { row.Environment, row.Token });
            table.HasIndex(row => row.CreatedAt).HasDatabaseName("token_revocations_newest");
            table.HasIndex(row => row.ExpiresAt).HasDatabaseName("token_revocations_expired").HasFilter("expires_at IS NOT NULL");
            table.Property(row => row.Environment).HasColumnName("environment");
            table.Property(row => row.Token).HasColumnName("token");
            table.Property(row => row.MadeUntil).HasColumnName("made_until");
            table.Property(row => row.ExpiresAt).HasColumnName("expires_at");
            table.Property(row => row.CreatedAt).HasColumnName("created_at");
            table.HasOne<StoredEnvironment>().WithMany().HasForeignKey(row => row.Environment).OnDelete(DeleteBehavior.Cascade);
        });

        modelBuilder.Entity<StoredErasure>(table =>
        {
            table.ToTable("erasures");
            table.HasKey(row => new { row.Environment, row.Id });
            table.HasIndex(row => new { row.Environment, row.Run }).HasDatabaseName("erasures_begun").HasFilter("erased_at IS NULL");
            table.HasIndex(row => row.ErasedAt).HasDatabaseName("erasures_erased").HasFilter("erased_at IS NOT NULL");
            table.Property(row => row.Environment).HasColumnName("environment");
            table.Property(row => row.Id).HasColumnName("id");
            table.Property(row => row.Run).HasColumnName("run");
            table.Property(row => row.Stream).HasColumnName("stream");
            table.Property(row => row.RequestedAt).HasColumnName("requested_at");
            table.Property(row => row.RequestedBy).HasColumnName("requested_by");
            table.Property(row => row.ErasedAt).HasColumnName("erased_at");
            table.HasOne<StoredEnvironment>().WithMany().HasForeignKey(row => row.Environment).OnDelete(DeleteBehavior.Cascade);
        });

        modelBuilder.Entity<StoredProtectionKey>(table =>
        {
            table.ToTable("protection_keys");
            table.HasKey(row => row.Name);
            table.Property(row => row.Name).HasColumnName("name");
            table.Property(row => row.Xml).HasColumnName("xml");
            table.Property(row => row.CreatedAt).HasColumnName("created_at");
        });
    }
}
