using System.Diagnostics;
using System.Globalization;
using RealtimeStreams.ChunkLog.Broker;
using RealtimeStreams.ChunkLog.Forwarding;
using RealtimeStreams.ChunkLog.Records;
using RealtimeStreams.Protocol;

namespace RealtimeStreams.ChunkLog.Appending;

/// <summary>
/// The one writer of a stream in this process. One record is on its way at a time; what queues meanwhile is the next one (group commit, no
/// linger). Every record names the last one that this head knows, so that it lands only if the head is current, whoever else writes.
/// </summary>
/// <remarks>
/// <para>The queue is guarded by the lock; head, builder and pack belong to the loop, which runs only while there is work.</para>
/// <para>The loop: 1. load the head, once. 2. Pack what is queued. 3. Publish. 4. On success commit the head and answer. 5. On a conflict or
/// an unknown fate take in what the leader has: a record with our nonce in the next place is ours, stored; nothing new means to send the same record again,
/// because the earlier copy can only land in the same place; anything else means that ours can never land, so pack anew.</para>
/// </remarks>
internal sealed class Appender(StreamAddress stream, AppenderParts parts) : IDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);
    private static readonly AppendOutcome.Refused Failed =
        new(new Refusal(ErrorCode.Internal, "The stream's log cannot be continued; the server's log says why."));

    private readonly Lock gate = new();
    private readonly AppendQueue queue = new();
    private readonly SubjectMap place = SubjectMap.Of(stream);
    private readonly (PendingAck Ack, uint Slot) acks = parts.Publisher.Register();
    private readonly StreamHead head = new();
    private readonly RecordBuilder builder = new();
    private readonly List<(AppendRequest Request, AppendOutcome.Stored Outcome)> pack = [];
    private readonly List<AppendRequest> away = []; // Handed over, not answered yet.
    private readonly Contention contention = new(parts.Clock);
    private int conflicts;
    private volatile bool outdated;
    private bool loaded;
    private bool running;
    private bool retired;

    /// <summary>When the loop last ended, in ticks of <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long IdleSince { get; private set; } = parts.Clock.GetTimestamp();

    /// <summary>Queues a request, waiting for room. False when this appender has been retired: ask for a new one.</summary>
    public async ValueTask<bool> EnqueueAsync(AppendRequest request, CancellationToken cancellationToken)
    {
        Task? room;
        lock (gate)
        {
            if (retired) return false;
            room = queue.Add(request);
            if (room is null && running) return true;
            running = true;
        }
        if (room is null)
        {
            // Not awaited: the loop outlives the caller that starts it. It answers through the requests and lets no exception out.
            _ = RunAsync();
            return true;
        }
        try
        {
            var left = parts.ConfirmTimeout - parts.Clock.GetElapsedTime(request.EnqueuedAt);
            await room.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, parts.Clock, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            // What never got into the queue cannot be stored any more; what did, is the loop's.
            bool withdrawn;
            lock (gate) withdrawn = queue.Withdraw(request);
            if (withdrawn) Finish(request, Unavailable(mayHaveWritten: false));
        }
        return true;
    }

    /// <summary>Has the head loaded anew before anything else is decided by it: the stream was erased, or may have been.</summary>
    public void Doubt() => outdated = true;

    /// <summary>Whether the stream is one of those that a run's subject filter, which ends in <c>.&gt;</c>, names.</summary>
    public bool IsIn(string filter) => place.IsIn(filter);

    /// <summary>Takes the appender out of use, if nothing waits for it.</summary>
    public bool TryRetire()
    {
        lock (gate)
        {
            if (running || !queue.IsEmpty) return false;
            retired = true;
            return true;
        }
    }

    public void Dispose()
    {
        parts.Publisher.Release(acks.Slot);
        builder.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            try
            {
                if (contention.IsOn && !FirstStaysHere && parts.Forwarder.FindOther(place) is { } node)
                {
                    await HandOverAsync(node);
                }
                else if (await LoadAsync())
                {
                    Pack();
                    if (!builder.IsEmpty) await CommitAsync();
                }
            }
            catch (OperationCanceledException) when (parts.Stopping.IsCancellationRequested)
            {
                FailAll(Unavailable(mayHaveWritten: true));
            }
            catch (Exception exception)
            {
                // A broken record in the log, or a bug: the requests at hand fail, the stream does not hang.
                parts.LogFailed(exception, stream);
                FailAll(Failed);
                loaded = false;
            }
            lock (gate)
            {
                queue.Refill();
                if (!queue.IsEmpty) continue;
                builder.Release();
                running = false;
                IdleSince = parts.Clock.GetTimestamp();
                return;
            }
        }
    }

    private bool FirstStaysHere
    {
        get
        {
            lock (gate) return queue.First is { StaysHere: true };
        }
    }

    private async ValueTask<bool> LoadAsync()
    {
        if (outdated) loaded = outdated = false;
        if (loaded) return true;
        try
        {
            head.Clear();
            await parts.Heads.ReloadAsync(head, place, nonce: 0, parts.Stopping);
            TrimFrom(ChunkIndex.Zero);
            return loaded = true;
        }
        catch (Exception exception) when (exception is LogUnavailableException or OperationCanceledException)
        {
            ExpireQueued();
            await PauseAsync();
            return false;
        }
    }

    /// <summary>Packs what is queued into one record, answering what needs none.</summary>
    private void Pack()
    {
        builder.Begin(head);
        pack.Clear();
        while (TakeNext() is { } request)
        {
            if (request.IsSettled)
            {
                request.Batch?.Dispose();
                continue;
            }
            try
            {
                var settled = Admit(request);
                if (settled is AppendOutcome.Refused && (!request.Doubted || pack.Count > 0))
                {
                    // Another node may have stored what seems to be missing, or this very batch: a refusal is decided by what the leader knows now,
                    // and not by what is only packed so far.
                    outdated |= !request.Doubted;
                    request.Doubted = true;
                    lock (gate) queue.PutBack([request]);
                    return;
                }
                if (settled is AppendOutcome.Stored stored && pack.Count > 0)
                {
                    pack.Add((request, stored)); // What it repeats may be only packed so far.
                    continue;
                }
                if (settled is not null) Finish(request, settled);
            }
            catch
            {
                Finish(request, Failed);
                throw;
            }
        }
    }

    private AppendRequest? TakeNext()
    {
        lock (gate) return queue.First is { } first && builder.HasRoomFor(first.Batch) ? queue.TakeFirst() : null;
    }

    /// <summary>Admits a request into the record; what it came to if it needs none.</summary>
    private AppendOutcome? Admit(AppendRequest request)
    {
        var first = builder.NextIndex;
        if (request.TrimPoint is { } trimPoint)
        {
            var trimmed = new AppendOutcome.Stored(null, first, 0, 0, null);
            if (!builder.TryTrim(trimPoint)) return trimmed; // Somebody else was faster.
            pack.Add((request, trimmed));
            return null;
        }
        var duplicates = 0;
        var fresh = 0;
        long? nextSequence = null;
        (long First, long Last) timestamps = default;
        if (request.Batch is { Count: > 0 } batch)
        {
            var settled = builder.Admit(batch, request.Limits, request.AdmittedAt, out first, out duplicates);
            if (settled is AppendOutcome.Stored known && request.End is not null) timestamps = (known.FirstTimestamp, known.LastTimestamp);
            else if (settled is not null) return settled;
            else (fresh, timestamps) = (batch.Count - duplicates, builder.Timestamps);
            if (batch.Producer is not null) nextSequence = batch.FirstSequence + batch.Count;
        }
        if (request.End is { } end)
        {
            if (head.End is { } outcome)
            {
                if (outcome != end || fresh > 0) return RecordBuilder.Closed(outcome);
                request.WasClosed = true;
                return new AppendOutcome.Stored(null, head.NextIndex, 0, request.Chunks, nextSequence, timestamps.First, timestamps.Last);
            }
            if (request.Batch is { Count: 0 } condition && builder.FindMismatch(condition) is { } mismatch) return mismatch;
            builder.SetEnd(end, request.AdmittedAt);
        }
        pack.Add((request, new AppendOutcome.Stored(first, builder.NextIndex, fresh, duplicates, nextSequence, timestamps.First, timestamps.Last)));
        return null;
    }

    /// <summary>Stores the packed record, or puts its requests back to be packed anew.</summary>
    private async Task CommitAsync()
    {
        Activity.Current = pack[0].Request.Span; // Not the span of whoever happened to start the loop.
        var nonce = parts.NextNonce();
        var record = builder.Finish(nonce, place.Address);
        var trimmed = head.State.TrimPoint;
        var maybeStored = false;
        while (true)
        {
            var began = parts.Clock.GetTimestamp();
            var outcome = await parts.Publisher.PublishAsync(acks, place.Subject, record, head.Sequence, parts.Stopping);
            parts.Telemetry.Published(outcome.Kind, builder.Chunks, record.Length, parts.Clock.GetElapsedTime(began));
            switch (outcome.Kind)
            {
                case PublishKind.Stored:
                    builder.CommitTo(head, outcome.Sequence);
                    conflicts = 0;
                    TrimFrom(trimmed);
                    FinishPack();
                    return;
                case PublishKind.Full:
                    FailPack(new AppendOutcome.Refused(new Refusal(ErrorCode.StoreFull, $"The broker refused to store more: {outcome.Reason}.")));
                    return;
                case PublishKind.Rejected:
                    FailPack(new AppendOutcome.Refused(new Refusal(ErrorCode.Internal, $"The broker refused the record: {outcome.Reason}.")));
                    return;
                case PublishKind.Unknown:
                    parts.LogUnknown(stream, outcome.Reason);
                    maybeStored = true;
                    break;
            }

            if (await FindOutAsync(nonce) is not { } change) return;
            switch (change)
            {
                case HeadChange.OwnStored:
                    TrimFrom(trimmed);
                    FinishPack();
                    return;
                case HeadChange.Lost when maybeStored:
                    FailUnrecognisable();
                    PutBack();
                    return;
                case HeadChange.Moved or HeadChange.Lost:
                    PutBack();
                    contention.Note();
                    if (conflicts++ > 0) await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 10)), parts.Clock, parts.Stopping);
                    return;
                case HeadChange.Gone:
                    FailPack(new AppendOutcome.Refused(new Refusal(ErrorCode.StreamGone, "The stream was erased while this was being appended.")));
                    return;
                case HeadChange.None:
                    break; // Send it again: whichever copy lands first is the one.
            }
        }
    }

    /// <summary>Has removed what the stream gave up since, unless who asked for it removes it itself, as expiry does.</summary>
    private void TrimFrom(ChunkIndex before)
    {
        var trimPoint = head.State.TrimPoint;
        if (trimPoint > before && !pack.Exists(one => one.Request.TrimPoint == trimPoint)) parts.Trimmer.Trim(place, trimPoint);
    }

    /// <summary>Hands what is queued to the node that writes the stream, one message at a time, so that each producer's order stays.</summary>
    private async Task HandOverAsync(string node)
    {
        var bytes = 0;
        lock (gate)
        {
            while (queue.First is { StaysHere: false } first && (away.Count == 0 || bytes + first.Bytes <= RecordLayout.SoftBytes) && away.Count < ChunkBatch.MaxCount)
            {
                bytes += first.Bytes;
                away.Add(queue.TakeFirst());
            }
        }
        loaded = false; // The head falls behind while another node writes.
        try
        {
            if (await parts.Forwarder.ForwardAsync(node, stream, away, parts.Stopping) is { } outcomes)
            {
                for (var i = 0; i < away.Count; i++)
                {
                    away[i].WasClosed = outcomes[i].WasClosed;
                    Finish(away[i], outcomes[i].ToOutcome());
                }
                away.Clear();
                return;
            }
        }
        catch (LogUnavailableException)
        {
            // Whether the other node stored them is unknown. Those that can be recognised are appended here; the others must not be, or they could stand twice.
            foreach (var lost in away.Where(request => request.Batch is { Producer: null, IdempotencyKey: null })) Finish(lost, Unavailable(mayHaveWritten: true));
            away.RemoveAll(request => request.IsSettled);
        }
        contention.Forget();
        lock (gate) queue.PutBack(away);
        away.Clear();
    }

    /// <summary>Asks the leader until it answers; null when nobody waits for the record any more, whose fate then stays unknown.</summary>
    private async Task<HeadChange?> FindOutAsync(ulong nonce)
    {
        while (true)
        {
            if (!ExpirePack())
            {
                loaded = false;
                return null;
            }
            try
            {
                return await parts.Heads.ReloadAsync(head, place, nonce, parts.Stopping);
            }
            catch (LogUnavailableException)
            {
                ExpireQueued();
                await PauseAsync();
            }
        }
    }

    /// <summary>A broker that refuses reads, as while it recovers or elects a leader, does so at once: without a pause this would ask it all the time.</summary>
    private Task PauseAsync() => Task.Delay(RetryDelay, parts.Clock, parts.Stopping);

    /// <summary>Tells those whose time ran out that the record's fate is unknown. False when all have been told.</summary>
    private bool ExpirePack()
    {
        var waiting = false;
        foreach (var (request, _) in pack)
        {
            if (IsOver(request)) request.Settle(Unavailable(mayHaveWritten: true));
            waiting |= !request.IsSettled;
        }
        if (waiting) return true;
        foreach (var (request, _) in pack) request.Batch?.Dispose();
        pack.Clear();
        return false;
    }

    private void ExpireQueued()
    {
        lock (gate)
        {
            while (queue.First is { } first && (first.IsSettled || IsOver(first)))
            {
                queue.TakeFirst();
                Finish(first, Unavailable(mayHaveWritten: false));
            }
        }
    }

    private bool IsOver(AppendRequest request) =>
        parts.Stopping.IsCancellationRequested || parts.Clock.GetElapsedTime(request.EnqueuedAt) >= parts.ConfirmTimeout;

    private void PutBack()
    {
        lock (gate) queue.PutBack(pack.ConvertAll(packed => packed.Request));
        pack.Clear();
    }

    private void FinishPack()
    {
        foreach (var (request, outcome) in pack) Finish(request, outcome);
        pack.Clear();
    }

    private void FailPack(AppendOutcome outcome)
    {
        foreach (var (request, _) in pack) Finish(request, outcome);
        pack.Clear();
    }

    /// <summary>What was stored and given up at once cannot be told from what was not stored; only a producer's numbers stay in the head.</summary>
    private void FailUnrecognisable()
    {
        foreach (var (request, _) in pack)
            if (request.IsSettled || request.Batch is { Producer: null }) Finish(request, Unavailable(mayHaveWritten: true));
        pack.RemoveAll(packed => packed.Request.IsSettled);
    }

    private void FailAll(AppendOutcome outcome)
    {
        FailPack(outcome);
        foreach (var request in away) Finish(request, outcome);
        away.Clear();
        while (true)
        {
            AppendRequest request;
            lock (gate)
            {
                if (queue.IsEmpty) return;
                request = queue.TakeFirst();
            }
            Finish(request, outcome);
        }
    }

    private static void Finish(AppendRequest request, AppendOutcome outcome)
    {
        request.Batch?.Dispose();
        request.Settle(outcome);
    }

    private AppendOutcome.Refused Unavailable(bool mayHaveWritten)
    {
        var seconds = parts.ConfirmTimeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
        var code = ErrorCode.LogUnavailable with { MayHaveWritten = mayHaveWritten };
        return new AppendOutcome.Refused(new Refusal(
            code,
            $"The broker did not confirm within {seconds} s." + (mayHaveWritten ? " The chunks may be stored; send them again with the same sequence." : " Nothing was stored.")));
    }
}
