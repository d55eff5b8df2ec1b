using Microsoft.Extensions.Options;

namespace RealtimeStreams.EmbeddedBroker;

[OptionsValidator]
internal sealed partial class EmbeddedBrokerOptionsValidator : IValidateOptions<EmbeddedBrokerOptions>;
