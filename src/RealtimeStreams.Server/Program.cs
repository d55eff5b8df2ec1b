using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.Read;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Server.Hosting;
using RealtimeStreams.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddLogLevels();
builder.AddServiceDefaults();
builder.AddWebServer();
builder.AddAllowedOrigins();
builder.AddBroker();
builder.AddChunkLog();
builder.Services.AddSingleton<IRegistryAnnouncements, Announcements>();
builder.AddRunRegistry();
builder.AddIngest();
builder.AddRead();
builder.AddNativeDialect();
builder.AddGreeting();

var app = builder.Build();
app.UseCors();
app.UseProblems();
app.MapDefaultEndpoints();
app.MapNative();
await app.RunAsync();
