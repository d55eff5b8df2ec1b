namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>The secret key that a server made for itself because none was configured.</summary>
/// <remarks>Read and made within the set-up turn, so that servers that share a data directory make one.</remarks>
internal sealed class SecretKeyFile(string directory)
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = System.IO.Path.Combine(directory, "secret-key");

    /// <summary>The key, made now or before.</summary>
    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    public async Task<(string Key, bool New)> ReadOrMakeAsync(CancellationToken cancellationToken)
    {
        if (File.Exists(Path))
        {
            var kept = (await File.ReadAllTextAsync(Path, cancellationToken)).Trim();
            return kept.StartsWith(SecretKeyText.Prefix, StringComparison.Ordinal) && kept.Length is >= 16 and <= 256
                ? (kept, false)
                : throw new InvalidDataException($"{Path} holds no secret key. Delete it to have a new one made.");
        }
        return (await MakeAsync(cancellationToken), true);
    }

    /// <summary>Makes a key, in the place of the one there may be.</summary>
    public async Task<string> MakeAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        var key = SecretKeyText.Make();

        // Nobody but this user can read it at any moment, and a crash leaves no half of it under its name.
        var half = $"{Path}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var file = new FileStream(half, options))
        {
            await using var writer = new StreamWriter(file, leaveOpen: true);
            await writer.WriteLineAsync(key.AsMemory(), cancellationToken);
            await writer.FlushAsync(cancellationToken);
            file.Flush(flushToDisk: true);
        }
        File.Move(half, Path, overwrite: true);
        return key;
    }
}
