using System.Reflection;

namespace RealtimeStreams.Sdk.Tests;

/// <summary>What the documentation shows as C# is code that is compiled: each paragraph of it stands in a file of Snippets, line by line.</summary>
public sealed class DocumentedCodeTests
{
    private static readonly string root = typeof(DocumentedCodeTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "RepositoryRoot").Value!;

    private static readonly string compiled = string.Concat(
        Directory.EnumerateFiles(Path.Combine(root, "tests", "RealtimeStreams.Sdk.Tests", "Snippets"), "*.cs").Order(StringComparer.Ordinal).Select(file => Trimmed(File.ReadLines(file))));

    public static TheoryData<string> Pages =>
    [
        .. Directory.EnumerateFiles(root, "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(page => !page.Split('/').Any(part => part is "bin" or "obj" or "node_modules" || part.StartsWith('.')))
            .Where(page => File.ReadLines(Path.Combine(root, page)).Any(IsCode))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void The_code_of_a_page_is_compiled(string page)
    {
        foreach (var paragraph in ParagraphsOf(File.ReadLines(Path.Combine(root, page))))
            Assert.True(compiled.Contains(paragraph, StringComparison.Ordinal), $"{page} shows what no file of Snippets has:\n{paragraph}");
    }

    private static IEnumerable<string> ParagraphsOf(IEnumerable<string> lines)
    {
        var inside = false;
        List<string> paragraph = [];
        foreach (var line in lines)
        {
            var ends = inside && (line.Length == 0 || line.StartsWith("```", StringComparison.Ordinal));
            if (ends && paragraph.Count > 0)
            {
                yield return Trimmed(paragraph);
                paragraph.Clear();
            }
            if (line.StartsWith("```", StringComparison.Ordinal)) inside = !inside && IsCode(line);
            else if (inside && line.Length > 0) paragraph.Add(line);
        }
        Assert.False(inside, "A block of code has no end.");
    }

    private static bool IsCode(string line) => line.StartsWith("```csharp", StringComparison.Ordinal);

    // Deeper or less deep, as the file needs it.
    private static string Trimmed(IEnumerable<string> lines) => string.Concat(lines.Select(line => line.Trim() + "\n"));
}
