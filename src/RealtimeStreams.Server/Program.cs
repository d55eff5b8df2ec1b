using RealtimeStreams.ChunkLog;
using RealtimeStreams.Dialects.Native;
using RealtimeStreams.Dialects.S2;
using RealtimeStreams.Dialects.Trigger;
using RealtimeStreams.Http;
using RealtimeStreams.Ingest;
using RealtimeStreams.Read;
using RealtimeStreams.Retention;
using RealtimeStreams.RunRegistry;
using RealtimeStreams.Server.Hosting;
using RealtimeStreams.Server.Operating;
using RealtimeStreams.ServiceDefaults;

if (EnvironmentsCommand.IsMeant(args)) return await EnvironmentsCommand.RunAsync(args);

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
builder.AddRetention();
builder.AddNativeDialect();
builder.AddTriggerDialect();
builder.AddS2Dialect();
builder.AddGreeting();

var app = builder.Build();
app.UseSecurityHeaders();
app.UseAnswerPace();
app.UseCors();
app.UseProblems();
app.UseBodyPace();
app.MapDefaultEndpoints();
app.MapNative();
app.MapTrigger();
app.MapS2();
var stopping = app.Lifetime.ApplicationStopping;
try
{
    await app.RunAsync();
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    // It was asked to stop while it started.
}
return 0;
