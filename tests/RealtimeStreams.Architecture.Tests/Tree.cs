using System.Reflection;
using System.Xml.Linq;

namespace RealtimeStreams.Architecture.Tests;

/// <summary>The projects as they lie in the repository. Every list of these tests comes from here, so that a new project cannot escape.</summary>
internal static class Tree
{
    /// <summary>The repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Where every project file lies, from the root, with slashes.</summary>
    public static IReadOnlyList<string> ProjectPaths { get; } =
    [
        .. Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj" or "node_modules" || part.StartsWith('.')))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>All projects but the tests.</summary>
    public static IReadOnlyList<ProjectFile> Projects { get; } =
    [
        .. ProjectPaths
            .Where(path => !path.StartsWith("tests/", StringComparison.Ordinal))
            .Select(path => ProjectFile.Load(Root, path))
            .OrderBy(project => project.Name, StringComparer.Ordinal),
    ];

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
