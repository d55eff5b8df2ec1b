using System.Reflection;

namespace RealtimeStreams.AppHost.WithoutAspire;

/// <summary>Where the rest of the stack lies: this host is run from within the repository.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The program that this project's build made of another project.</summary>
    public static string ProgramOf(string project) =>
        Path.Combine(Root, project, "bin", Built("Configuration"), Built("TargetFramework"), Path.GetFileName(project) + ".dll");

    /// <summary>What the build knew.</summary>
    public static string Built(string name) =>
        Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == name).Value ?? "";

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RealtimeStreams.sln")))
                return folder.FullName;
        }

        throw new StackException($"No RealtimeStreams.sln above {AppContext.BaseDirectory}: the stack is started from within its repository.");
    }
}
