using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class AccessScopeTests
{
    [Theory]
    [InlineData("read:runs:run_1", "read", "runs", "run_1", true)]
    [InlineData("read:runs:run_1", "read", "runs", "run_10", false)]
    [InlineData("read:runs:run_1", "read", "runs", null, false)]
    [InlineData("read:runs:run_1", "write", "runs", "run_1", false)]
    [InlineData("read:runs:run_1", "read", "tags", "run_1", false)]
    [InlineData("read:runs", "read", "runs", "run_1", true)]
    [InlineData("read:runs", "read", "runs", null, true)]
    [InlineData("read:runs", "read", "tags", "run_1", false)]
    [InlineData("read:runs:", "read", "runs", "run_1", false)]
    [InlineData("read:tags:user:1", "read", "tags", "user:1", true)]
    [InlineData("read:tags:user:1", "read", "tags", "user", false)]
    [InlineData("append:streams:run_1/a:b/c", "append", "streams", "run_1/a:b/c", true)]
    [InlineData("read:all", "read", "runs", "run_1", true)]
    [InlineData("read:all", "write", "runs", "run_1", false)]
    [InlineData("read:all:run_1", "read", "runs", "run_1", true)]
    [InlineData("read:all:run_1", "read", "runs", "run_2", false)]
    [InlineData("*:runs:run_1", "write", "runs", "run_1", true)]
    [InlineData("*:runs:run_1", "write", "runs", "run_2", false)]
    [InlineData("*:all", "write", "inputStreams", "run_1", true)]
    [InlineData("admin", "write", "runs", "run_1", true)]
    [InlineData("admin:runs", "read", "runs", "run_1", false)]
    [InlineData("admin:", "read", "runs", "run_1", false)]
    [InlineData("Admin", "read", "runs", "run_1", false)]
    [InlineData("*", "read", "runs", "run_1", false)]
    [InlineData("read", "read", "runs", "run_1", false)]
    [InlineData("READ:runs:run_1", "read", "runs", "run_1", false)]
    [InlineData("read:*", "read", "runs", "run_1", false)]
    [InlineData("read:runs:*", "read", "runs", "run_1", false)]
    [InlineData("", "read", "runs", "run_1", false)]
    [InlineData("::", "read", "runs", "run_1", false)]
    public void A_scope_allows_what_the_contract_says(string scope, string action, string type, string? id, bool allows)
    {
        Assert.Equal(allows, Grant(scope).Allows(action, new AccessResource(type, id)));
        Assert.Equal(scope, AccessScope.Parse(scope).ToString());
    }

    [Fact]
    public void One_matching_scope_on_one_of_the_names_is_enough()
    {
        var grant = Grant("write:runs:run_1", "read:tags:user:1");

        Assert.True(grant.Allows("read", new AccessResource("runs", "run_1"), new AccessResource("tags", "user:1")));
        Assert.False(grant.Allows("read", new AccessResource("runs", "run_1"), new AccessResource("tags", "user:2")));
        Assert.False(grant.Allows("read"));
        Assert.False(Grant().Allows("read", new AccessResource("runs", "run_1")));
        Assert.True(Grant("admin").Allows("read"));
    }

    private static AccessGrant Grant(params string[] scopes) =>
        new(EnvironmentId.Parse("default"), [.. scopes.Select(AccessScope.Parse)], DateTimeOffset.MaxValue);
}
