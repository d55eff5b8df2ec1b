using System.Text.RegularExpressions;

namespace RealtimeStreams.Architecture.Tests;

public sealed partial class SolutionTests
{
    // Restored to find out whether Aspire can be had: in the solution, a "no" would stop the whole build.
    private const string Probe = "eng/AspireProbe/AspireProbe.csproj";

    [Fact]
    public void The_solution_holds_every_project_so_that_every_test_runs()
    {
        var solution = File.ReadAllText(Path.Combine(Tree.Root, "RealtimeStreams.sln"));
        var listed = ProjectPath().Matches(solution).Select(match => match.Groups[1].Value.Replace('\\', '/')).ToList();

        var differences = Tree.ProjectPaths.Except(listed).Where(path => path != Probe).Select(path => "not in the solution: " + path)
            .Concat(listed.Except(Tree.ProjectPaths).Select(path => "not in the tree: " + path))
            .ToList();
        Assert.True(differences is [], string.Join('\n', differences));
        Assert.DoesNotContain(Probe, listed);
    }

    [GeneratedRegex("\"([^\"]+\\.csproj)\"")]
    private static partial Regex ProjectPath();
}
