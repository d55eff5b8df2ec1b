using DemoWorker;
using DemoWorker.Chat;
using RealtimeStreams.Sdk;
using RealtimeStreams.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.Services.AddRealtimeStreams();
builder.Services.AddDemoChat(builder.Configuration);
builder.Services.AddOptions<DemoOptions>().BindConfiguration(DemoOptions.Section).ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddRealtimeStreamsTask<Ask?, Reply, AskTask>(AskTask.Id);
builder.Services.AddSingleton<AnswerTask>();
builder.Services.AddSingleton<DemoRuns>();
builder.Services.AddHostedService(services => services.GetRequiredService<DemoRuns>());

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapPost("/runs", (DemoRuns runs) => runs.TryRequest() is { } run
    ? Results.Accepted(value: new { run, answer = AnswerTask.AnswerRunOf(run) })
    : Results.Problem("As many runs are going on and waiting as this sample allows.", statusCode: StatusCodes.Status429TooManyRequests));
await app.RunAsync();
