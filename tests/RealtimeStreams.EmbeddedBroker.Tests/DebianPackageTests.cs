using RealtimeStreams.EmbeddedBroker.Locating;

namespace RealtimeStreams.EmbeddedBroker.Tests;

public class DebianPackageTests
{
    [Theory]
    [InlineData("http://mirror.example/debian/ bookworm main\nhttp://mirror.example/debian/ bookworm main\n", "http://mirror.example/debian/")]
    [InlineData("http://mirror.example/debian/ stable main", "http://mirror.example/debian/")]
    [InlineData("http://mirror.example/debian-security/ bookworm-security main\nhttp://a.example/debian/ bookworm-updates main", "")]
    [InlineData("https://vendor.example/node nodistro main\nhttp://mirror.example/debian/ bookworm contrib", "")]
    [InlineData("cdrom:[Debian]/ bookworm main\nhttp://b.example/ bookworm main\nhttp://c.example/ bookworm main", "http://b.example/ http://c.example/")]
    [InlineData("", "")]
    public void The_mirror_is_that_of_the_main_repository(string targets, string mirrors) =>
        Assert.Equal(mirrors, string.Join(' ', DebianPackage.MirrorsIn(targets, "bookworm")));
}
