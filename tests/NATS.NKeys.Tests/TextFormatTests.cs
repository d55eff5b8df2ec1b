using System.Text;

namespace NATS.NKeys.Tests;

public class TextFormatTests
{
    /// <summary>RFC 4648, section 10, without padding.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base32_is_that_of_rfc_4648(string text, string encoded)
    {
        var decoded = new byte[text.Length];

        Assert.Equal(encoded, Base32.Encode(Encoding.ASCII.GetBytes(text)));
        Assert.True(Base32.TryDecode(encoded, decoded));
        Assert.Equal(text, Encoding.ASCII.GetString(decoded));
    }

    [Fact]
    public void Base32_with_bits_left_over_that_are_not_zero_is_refused() => Assert.False(Base32.TryDecode("MZ", new byte[1]));

    /// <summary>The check value of CRC-16/XMODEM in the catalogue of parametrised CRC algorithms.</summary>
    [Fact]
    public void The_checksum_is_crc_16_xmodem() => Assert.Equal(0x31C3, Crc16.Compute("123456789"u8));
}
