using RealtimeStreams.Protocol;

namespace RealtimeStreams.RunRegistry.Tests;

public sealed class RegisteringOnPostgresTests(PostgresDatabases databases) : RegisteringContract(databases);

public sealed class RegisteringOnSqliteTests(SqliteDatabases databases) : RegisteringContract(databases), IClassFixture<SqliteDatabases>;

public abstract class RegisteringContract(TestDatabases databases) : RegistryContract(databases)
{
    [Fact]
    public async Task A_registered_run_is_found_with_all_that_was_said_of_it()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("run/ä 1", "import", tags: ["b", "a", "b"], version: StreamsVersion.V1));

        var run = await node.Registry.FindAsync(Environment, Id("run/ä 1"), Cancelled);

        Assert.NotNull(run);
        Assert.Equal("import", run.TaskId);
        Assert.Equal(["b", "a"], run.Tags);
        Assert.Equal(StreamsVersion.V1, run.StreamsVersion);
        Assert.Equal(RunStatus.Open, run.Status);
        Assert.Null(run.Root);
    }

    [Fact]
    public async Task A_run_without_an_id_gets_one()
    {
        var node = await StartNodeAsync();

        var run = await RegisterAsync(node, Registration());

        Assert.Matches("^run_[A-Za-z0-9_-]{22}$", run.Id.Value);
        Assert.Equivalent(run, await node.Registry.FindAsync(Environment, run.Id, Cancelled));
    }

    [Fact]
    public async Task The_same_id_again_with_the_same_content_finds_the_run_that_is_there()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("elder"));
        var registration = Registration("run", "import", "elder", tags: ["a", "b"]);
        var first = await RegisterAsync(node, registration);

        var second = await node.Registry.RegisterAsync(Environment, registration with { Tags = ["b", "a", "a"] }, Cancelled);

        var registered = Assert.IsType<RegisterOutcome.Registered>(second);
        Assert.False(registered.New);
        Assert.Equivalent(first, registered.Run);
    }

    [Fact]
    public async Task The_same_id_with_other_content_is_a_conflict_that_names_the_differences()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("elder"));
        await RegisterAsync(node, Registration("run", "import", tags: ["a"]));

        var refusal = await RefusedAsync(node, Registration("run", "export", "elder", "elder", ["a", "b"], StreamsVersion.V1));

        Assert.Equal(ErrorCode.RunConflict, refusal.Code);
        Assert.Equal("The run run is registered with another taskId, parentRunId, rootRunId, tags, streamsVersion.", refusal.Detail);
    }

    [Fact]
    public async Task The_root_is_the_parents_root_or_the_parent_itself()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("first"));
        await RegisterAsync(node, Registration("second", parent: "first"));

        var third = await RegisterAsync(node, Registration("third", parent: "second"));

        Assert.Equal(Id("second"), third.Parent);
        Assert.Equal(Id("first"), third.Root);
        Assert.Equal(new RunFamily(Id("second"), Id("first")), await node.Registry.FindFamilyAsync(Environment, Id("third"), Cancelled));
    }

    [Fact]
    public async Task A_parent_or_root_that_is_not_there_is_refused_by_the_name_of_its_field()
    {
        var node = await StartNodeAsync();
        await RegisterAsync(node, Registration("there"));

        var parent = await RefusedAsync(node, Registration("run", parent: "gone"));
        var root = await RefusedAsync(node, Registration("run", parent: "there", root: "gone"));

        Assert.Equal((ErrorCode.RunNotFound, "parentRunId: there is no run gone."), (parent.Code, parent.Detail));
        Assert.Equal((ErrorCode.RunNotFound, "rootRunId: there is no run gone."), (root.Code, root.Detail));
        Assert.Null(await node.Registry.FindAsync(Environment, Id("run"), Cancelled));
    }

    [Fact]
    public async Task Texts_that_break_a_rule_are_refused_by_the_name_of_their_field()
    {
        var node = await StartNodeAsync();

        Assert.Equal("taskId is empty.", (await RefusedAsync(node, Registration(taskId: ""))).Detail);
        Assert.Equal(
            "taskId is 258 bytes long; at most 256 bytes of UTF-8 are allowed.",
            (await RefusedAsync(node, Registration(taskId: new string('ä', 129)))).Detail);
        Assert.Equal("tags[1] contains the control character U+0000.", (await RefusedAsync(node, Registration(tags: ["a", "\0"]))).Detail);
        Assert.Equal("tags[0] contains a surrogate without its partner.", (await RefusedAsync(node, Registration(tags: ["a\ud800"]))).Detail);
        var many = await RefusedAsync(node, Registration(tags: [.. Enumerable.Range(0, 33).Select(i => $"tag{i}")]));
        Assert.Equal((ErrorCode.InvalidRequest, "tags holds 33 tags; at most 32 are allowed."), (many.Code, many.Detail));
    }

    [Fact]
    public async Task Ids_are_compared_byte_by_byte()
    {
        var node = await StartNodeAsync();
        string[] ids = ["run", "Run", "run ", "rún", "ru\u0301n"];
        foreach (var id in ids) await RegisterAsync(node, Registration(id, taskId: id));

        foreach (var id in ids)
            Assert.Equal(id, (await node.Registry.FindAsync(Environment, Id(id), Cancelled))!.TaskId);
    }

    [Fact]
    public async Task Of_many_that_register_one_id_at_once_on_two_servers_one_makes_the_run()
    {
        TestNode[] nodes = [await StartNodeAsync(), await StartNodeAsync()];

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(
            () => nodes[i % 2].Registry.RegisterAsync(Environment, Registration("run", "import"), Cancelled), Cancelled)));

        var registered = outcomes.Select(Assert.IsType<RegisterOutcome.Registered>).ToList();
        Assert.Single(registered, outcome => outcome.New);
        Assert.Single(registered.Select(outcome => outcome.Run.CreatedAt).Distinct());
    }
}
