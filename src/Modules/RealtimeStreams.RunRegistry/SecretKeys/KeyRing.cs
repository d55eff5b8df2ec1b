using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using RealtimeStreams.RunRegistry.Storing;

namespace RealtimeStreams.RunRegistry.SecretKeys;

/// <summary>Keeps data protection's keys in the registry's database, so that all servers share them.</summary>
/// <remarks>
/// Its interface does not wait asynchronously, so neither does this: it is asked at the start, and once a day after that. The first use is within
/// the set-up turn, so that servers which start together make one key.
/// </remarks>
internal sealed class KeyRing(RegistryProvider provider, TimeProvider clock) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var context = provider.CreateContext();
        return [.. context.ProtectionKeys.Select(row => row.Xml).AsEnumerable().Select(XElement.Parse)];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var context = provider.CreateContext();
        context.ProtectionKeys.Add(new StoredProtectionKey
        {
            Name = friendlyName,
            Xml = element.ToString(SaveOptions.DisableFormatting),
            CreatedAt = clock.GetUtcNow(),
        });
        context.SaveChanges();
    }
}
