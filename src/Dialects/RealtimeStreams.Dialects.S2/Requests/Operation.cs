namespace RealtimeStreams.Dialects.S2.Requests;

/// <summary>What a token can allow, in S2's words. What is not here needs the secret key.</summary>
internal static class Operation
{
    public const string Append = "append";
    public const string Trim = "trim";
    public const string Fence = "fence";
    public const string CreateStream = "create-stream";
    public const string Read = "read";
    public const string CheckTail = "check-tail";

    /// <summary>All of them.</summary>
    public static readonly string[] All = [Append, Trim, Fence, CreateStream, Read, CheckTail];

    /// <summary>What S2 calls reading and writing of streams.</summary>
    public static readonly string[] Reading = [Read, CheckTail], Writing = [Append, Trim, Fence];
}
