// `granary`: the four services in one process, and the commands of those who run them.
#include <CLI/CLI.hpp>

#include "services/standalone/commands.h"
#include "services/standalone/import_command.h"
#include "services/standalone/machines.h"
#include "services/standalone/replay_command.h"
#include "services/standalone/status_command.h"
#include "services/standalone/tail_command.h"
#include "services/standalone/topics_command.h"
#include "shared/runtime/version.h"

int main(int argc, char** argv) {
  using namespace granary::standalone;
  namespace service = granary::service;
  CLI::App app{
      "Granary: the allocation ledger of an AI Factory. Keeps what projects were granted, what their jobs used, and "
      "what "
      "that is worth, and can fold every figure again from its log.\n\n"
      "First steps, in one shell and another:\n"
      "  granary serve --data DIR                        the ledger, on http://127.0.0.1:8080\n"
      "  granary post deploy/example/1-policies.json     what is counted, and what it costs\n"
      "  granary import FILE --format swf ...            what a scheduler's jobs used\n"
      "  granary projects                                granted, used, expired, available, uncovered\n"
      "  granary balance PROJECT                         the same of one project, lot by lot\n"
      "  granary export charges                          what finance is told, month by month\n"
      "  granary replay --data DIR                       after the server has stopped: all of it again, compared\n"
      "\nEach command says more: granary COMMAND --help"};
  app.set_version_flag("--version", granary::kVersion);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 refused, not found or different, 2 usage, 3 cannot run (no server, no such file).");

  ClientOptions client;
  const auto client_command = [&](const char* name, const char* description) {
    CLI::App* command = app.add_subcommand(name, description);
    command->add_option("--url", client.url, "The server")->capture_default_str();
    command->add_flag("--json", client.json, "For machines: JSON, amounts as decimal strings of base units");
    return command;
  };

  const auto question = [&](const char* name, const char* description) {
    CLI::App* command = client_command(name, description);
    command->add_option("--after", client.after, "Answer once this TOKEN's effect is folded (import --json gives it)");
    return command;
  };

  int exit_code = 0;
  service::ServerOptions serving_options;
  CLI::App* serving = app.add_subcommand(
      "serve", "Run the four services in this process, over the embedded journal or over Kafka (--brokers)");
  serving->add_option("--data", serving_options.data, "Where the journal and the state lie")->capture_default_str();
  serving->add_option("--listen", serving_options.listen, "ADDRESS:PORT; port 0 takes a free one")
      ->capture_default_str();
  serving->add_option("--partitions", serving_options.partitions, "Partitions of a new ledger, for ever (default 8)")
      ->check(CLI::Range(1, 1024));
  serving
      ->add_option("--checkpoint-records", serving_options.checkpoint_records,
                   "Write a checkpoint of an inbox after so many of its records (default 10000)")
      ->check(CLI::Range(1, 1'000'000'000));
  serving->add_option("--brokers", serving_options.brokers,
                      "Kafka's brokers, HOST:PORT,HOST:PORT, in place of the embedded journal");
  serving->add_option("--kafka", serving_options.kafka,
                      "A setting of librdkafka, KEY=VALUE (TLS, SASL); may be repeated");
  serving->add_option("--kafka-file", serving_options.kafka_file, "A file of such settings, a line each; for secrets");
  serving->add_option("--peers", serving_options.peers, "A file of who owns which shards: lines of URL MACHINE SHARDS");
  serving->add_option("--log", serving_options.log, "Lines on standard error (default: text on a terminal, else json)")
      ->check(CLI::IsMember({"json", "text"}));
  serving->footer(
      "Ends within 10 s of SIGTERM or Ctrl-C. Exit codes: 0 stopped as asked, 1 stopped because the log or the state "
      "failed, 2 usage, 3 cannot start.");
  serving->callback([&] { exit_code = service::run_server(serving_options, services(), service::Creates::yes); });

  TopicsArguments topics_arguments;
  CLI::App* topics_command =
      app.add_subcommand("topics", "The topics of a ledger in Kafka: make them, check them, list them");
  topics_command->add_option("--brokers", topics_arguments.brokers, "Kafka's brokers: HOST:PORT,HOST:PORT")->required();
  topics_command->add_flag("--create", topics_arguments.create,
                           "Make what is missing, with the ledger's first records");
  topics_command->add_flag("--check", topics_arguments.check,
                           "Print only what is missing or set wrongly, with what mends it");
  topics_command->add_option("--partitions", topics_arguments.partitions, "Of a new ledger, for ever (default 8)")
      ->check(CLI::Range(1, 1024));
  topics_command->add_option("--replication", topics_arguments.replication,
                             "Replicas of new topics (default: the brokers')");
  topics_command->add_option("--kafka", topics_arguments.kafka, "A setting of librdkafka, KEY=VALUE; may be repeated");
  topics_command->add_option("--kafka-file", topics_arguments.kafka_file, "A file of such settings, a line each");
  topics_command->add_flag("--json", topics_arguments.json, "For machines");
  topics_command->footer("Exit codes: 0 all is well, 1 a topic is missing or set wrongly, 2 usage, 3 cannot ask.");
  topics_command->callback([&] { exit_code = topics(topics_arguments); });

  question("projects", "Balances of all projects")->callback([&] { exit_code = projects(client); });
  question("charges", "Charges of each project and month: used, covered by grants, billed")->callback([&] {
    exit_code = charges(client);
  });
  std::string project;
  CLI::App* asking = question("balance", "Balance of one project, with its lots");
  asking->add_option("PROJECT", project, "The project's name")->required();
  asking->callback([&] { exit_code = balance(client, project); });
  question("sources", "What became of the usage of each source: received = metered + repeated + rejected + pending")
      ->callback([&] { exit_code = sources(client); });
  std::string source, id;
  CLI::App* rejections = question("rejected", "What the rules refused, and why");
  rejections->add_option("--source", source, "Only of this source");
  rejections->add_option("--id", id, "Only with this id");
  rejections->callback([&] { exit_code = rejected(client, source, id); });
  StatusArguments status_arguments;
  CLI::App* asking_status = client_command("status", "How the server's shards stand: positions, lag, what is parked");
  asking_status->add_flag("--check", status_arguments.check, "For probes: exit 1 where a person should look");
  asking_status->add_option("--lag-seconds-max", status_arguments.lag_seconds_max, "With --check: more is worth a look")
      ->capture_default_str();
  asking_status->footer(
      "Exit codes: 0 the server answered; with --check 1 where a shard is parked, lags more than that or by nobody "
      "knows how much, or the clock waits for a person; 2 usage, 3 no server.");
  asking_status->callback([&] { exit_code = status(client, status_arguments); });
  std::string file;
  CLI::App* posting = client_command("post", "Send CloudEvents: one JSON object, an array, or one a line");
  posting->add_option("FILE", file, "- for standard input")->required();
  posting->footer(
      "Exit codes: 0 every event was taken (new, a repeat, or waiting), 1 one was refused, 2 no JSON, 3 cannot run (no "
      "server, no such file).");
  posting->callback([&] { exit_code = post(client, file); });
  std::string what, format = "csv";
  CLI::App* exporting = question("export", "Write usage or charges as they were posted, row by row");
  exporting->add_option("WHAT", what)->required()->check(CLI::IsMember({"usage", "charges"}));
  exporting->add_option("--format", format)->check(CLI::IsMember({"csv", "json"}))->capture_default_str();
  exporting->callback([&] { exit_code = export_rows(client, what, format); });
  ImportArguments import;
  CLI::App* importing =
      client_command("import", "Read a workload file and post it as usage: checked as a whole first, repeatable");
  importing->add_option("FILE", import.file, "Plain, gzip, or a zip of one member")->required();
  importing->add_option("--format", import.format)
      ->required()
      ->check(CLI::IsMember({"swf", "openb", "sacct-json", "sacct"}));
  importing->add_option("--cluster", import.cluster, "Slurm: the cluster's name");
  importing->add_option("--project-from", import.project_from, "What names the project")
      ->check(CLI::IsMember({"group", "user", "account", "binding"}));
  importing->add_option("--project-prefix", import.project_prefix, "Project names begin with it");
  importing->add_option("--shift-end-to", import.shift_end_to, "Move the file so that its last job ends then");
  importing->add_option("--epoch", import.epoch, "openb: the time of the file's second 0");
  importing->add_option("--time-zone", import.time_zone,
                        "sacct text: the zone of its local times, an IANA name or UTC");
  importing
      ->add_option("--delimiter", import.delimiter,
                   "sacct text: what separates the fields, as sacct --delimiter; \\t is a tab")
      ->capture_default_str();
  importing->add_option("--columns", import.columns,
                        "sacct text without a header: the names of its columns, separated by commas");
  importing->add_flag(
      "--trust-text", import.trust_text,
      "sacct text: take columns that users write (JobName, SubmitLine, ...), in which a line end makes rows");
  importing->add_option("--complete-through", import.complete_through, "State the sources complete through this time");
  importing->add_option("--award-all", import.award_all,
                        "For trials: give each project HOURS of each class (bytes: GiB-hours)");
  importing
      ->add_option("--retry-for", import.retry_for_s,
                   "While the server is away: try again for so many SECONDS, with the same ids")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  importing->add_flag("--dry-run", import.dry_run, "Check and count, post nothing");
  importing->add_flag("--strict", import.strict, "Exit 4 if any row was refused");
  importing->add_flag("--again", import.again,
                      "Import although it may count twice: the jobs came in under other options, in another "
                      "time zone or as another cluster's, or the file seems cut by sacct --truncate");
  importing->footer(
      "Examples:\n"
      "  granary import jobs.json --format sacct-json --project-prefix hpc\n"
      "  granary import jobs.psv --format sacct --time-zone Europe/Helsinki --cluster aif1\n"
      "  granary import NASA.swf.zip --format swf --project-prefix nasa --shift-end-to 2026-11-01T00:00:00Z "
      "--award-all 1000\n\n"
      "Slurm's text is best written by sacct --parsable2 --noconvert --duplicates --allusers --format=JobID,Cluster,\n"
      "Account,User,QOS,Partition,State,Submit,Eligible,Start,End,ElapsedRaw,Suspended,AllocTRES: whole jobs, exact\n"
      "numbers, no text of users.\n\n"
      "Exit codes: 0 every row answered, 1 stopped in the middle (run it again), 2 usage, 3 refused before anything "
      "was posted, or the summary could not be written, 4 --strict and a row was refused, 5 the file is cut short.");
  importing->callback([&] { exit_code = import_file(client, import); });
  TailArguments tailing;
  CLI::App* tail_command =
      client_command("tail", "Show what the outward streams tell, in the order of each partition, one event a line");
  tail_command
      ->add_option("STREAM", tailing.stream, "billing: charges; notices: what portals act on; rejected: refusals")
      ->required()
      ->check(CLI::IsMember({"billing", "notices", "rejected"}));
  tail_command->add_option("--from", tailing.from, "BEGINNING, END, or in each partition the record with that number")
      ->check([](const std::string& text) {
        const bool is_place = text == "BEGINNING" || text == "END" ||
                              (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos);
        return is_place ? std::string() : "expected BEGINNING, END or a number, got " + text;
      })
      ->capture_default_str();
  tail_command->add_option("--partition", tailing.partition, "Only this one (default: all, one after the other)");
  tail_command->add_flag("--follow", tailing.follow, "Go on as events come, until Ctrl-C");
  tail_command->add_option("--brokers", tailing.brokers, "Read from Kafka, HOST:PORT,HOST:PORT, in place of a server");
  tail_command->add_option("--kafka", tailing.kafka, "A setting of librdkafka, KEY=VALUE; may be repeated");
  tail_command->add_option("--kafka-file", tailing.kafka_file, "A file of such settings, a line each");
  tail_command->footer(
      "With --json each line is a CloudEvent. An event may come twice, with the same source and id.\n"
      "Exit codes: 0 done, 2 usage, 3 cannot read.");
  tail_command->callback([&] { exit_code = tail(client, tailing); });
  ReplayArguments replaying;
  CLI::App* replay_command =
      app.add_subcommand("replay", "Fold every machine again from the log of a stopped server, and compare");
  replay_command->add_option("--data", replaying.data, "The server's data directory; with --brokers may be repeated")
      ->capture_default_str();
  replay_command->add_option("--brokers", replaying.brokers, "Replay from Kafka, in place of the directory's journal");
  replay_command->add_option("--kafka", replaying.kafka, "A setting of librdkafka, KEY=VALUE; may be repeated");
  replay_command->add_option("--kafka-file", replaying.kafka_file, "A file of such settings, a line each");
  replay_command->add_option("--until", replaying.until,
                             "TOPIC/PARTITION/OFFSET: only that shard, and only so many records");
  replay_command->add_option("--expect", replaying.expect,
                             "The digest that has to come out: the one over all, with --until that shard's");
  replay_command->add_flag("--json", replaying.json, "For machines");
  replay_command->footer("Exit codes: 0 equal, 1 different (the first difference named), 2 usage, 3 cannot run.");
  replay_command->callback([&] { exit_code = replay(replaying); });
  CLI::App* clock = app.add_subcommand("clock", "The ledger's clock");
  clock->require_subcommand(1);
  CLI::App* confirm =
      clock->add_subcommand("confirm", "Say that a clock that stepped, or differs from the other doors', is right");
  confirm->add_option("--url", client.url, "The server")->capture_default_str();
  confirm->add_flag("--json", client.json, "For machines");
  confirm->callback([&] { exit_code = clock_confirm(client); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}
