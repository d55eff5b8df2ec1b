using System.Reflection;
using System.Xml.Linq;

namespace RealtimeStreams.Architecture.Tests;

/// <summary>The projects as they lie in the repository. Every list of these tests comes from here, so that a new project cannot escape.</summary>
internal static class Tree
{
    /// <summary>All projects but the tests.</summary>
    public static IReadOnlyList<ProjectFile> Projects { get; } = FindProjects(FindRoot());

    public static IEnumerable<ProjectFile> Source => Projects.Where(project => project.Folder.StartsWith("src/", StringComparison.Ordinal));

    public static IEnumerable<ProjectFile> Modules => Projects.Where(project => project.Folder.StartsWith("src/Modules/", StringComparison.Ordinal));

    public static IEnumerable<ProjectFile> Dialects => Projects.Where(project => project.Folder.StartsWith("src/Dialects/", StringComparison.Ordinal));

    /// <summary>Names as test data: each becomes a case of its own.</summary>
    public static TheoryData<string> Names(this IEnumerable<ProjectFile> projects) => [.. projects.Select(project => project.Name)];

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RealtimeStreams.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No RealtimeStreams.sln above {AppContext.BaseDirectory}: run these tests inside the repository.");
    }

    private static List<ProjectFile> FindProjects(string root) =>
    [
        .. Directory.EnumerateFiles(root, "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "tests" or "bin" or "obj" or "node_modules" or ".data" || part.StartsWith('.')))
            .Select(path => ProjectFile.Load(root, path))
            .OrderBy(project => project.Name, StringComparer.Ordinal),
    ];
}

/// <summary>What a project file says.</summary>
internal sealed record ProjectFile(string Name, string Folder, IReadOnlyList<string> Projects, IReadOnlyList<string> Packages)
{
    public Assembly Load() => Assembly.Load(Name);

    public static ProjectFile Load(string root, string path)
    {
        var items = XDocument.Load(Path.Combine(root, path)).Descendants().ToList();
        return new(
            Path.GetFileNameWithoutExtension(path),
            Path.GetDirectoryName(path)!.Replace('\\', '/'),
            [.. Included("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Replace('\\', '/'))).Order(StringComparer.Ordinal)],
            [.. Included("PackageReference").Concat(Included("FrameworkReference"))]);

        IEnumerable<string> Included(string item) =>
            items.Where(element => element.Name.LocalName == item)
                .Select(element => element.Attribute("Include")?.Value)
                .OfType<string>();
    }
}
