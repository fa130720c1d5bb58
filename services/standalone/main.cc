// `granary`: the four services in one process, and the commands of those who run them.
#include <charconv>
#include <functional>

#include "services/cli/commands.h"
#include "services/cli/export_command.h"
#include "services/cli/import_command.h"
#include "services/cli/post_command.h"
#include "services/cli/replay_command.h"
#include "services/cli/rules_command.h"
#include "services/cli/status_command.h"
#include "services/cli/tail_command.h"
#include "services/cli/topics_command.h"
#include "services/standalone/machines.h"
#include "shared/base/version.h"
#include "shared/http/uri.h"
#include "shared/service/command_line.h"
#include "shared/service/program.h"

namespace granary::cli {
namespace {

constexpr int kReplicasMax = 32'767;

template <class T>
std::string words_of(const Result<T>& checked) {
  return checked.ok() ? std::string() : checked.error().message;
}

std::string check_url(const std::string& text) {
  return words_of(http::parse_url(text));
}

std::string check_place(const std::string& text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = read.ec == std::errc() && read.ptr == text.data() + text.size();
  const bool is_place = text == "BEGINNING" || text == "END" || is_number;
  return is_place ? std::string() : "expected BEGINNING, END or the number of a record, got " + text;
}

// What the commands are told; filled while the command line is parsed.
struct Told {
  int exit_code = 0;
  ClientOptions client;
  service::ServerOptions server;
  TopicsArguments topics;
  std::string project, source, id, file;
  StatusArguments status;
  ExportArguments exporting;
  ImportArguments import;
  TailArguments tail;
  ReplayArguments replay;
  RulesArguments rules;
};

void add_url(CLI::App& command, ClientOptions& client) {
  command.add_option("--url", client.url, "The server")->check(check_url)->capture_default_str();
}

CLI::App& add_client_command(CLI::App& app, Told& told, const char* name, const char* description) {
  CLI::App* command = app.add_subcommand(name, description);
  add_url(*command, told.client);
  command->add_flag("--json", told.client.json, "For machines: JSON, amounts as decimal strings of base units");
  return *command;
}

CLI::App& add_question(CLI::App& app, Told& told, const char* name, const char* description) {
  CLI::App& command = add_client_command(app, told, name, description);
  command.add_option("--after", told.client.after,
                     "Answer once this TOKEN's effect is folded (import --json gives it)");
  return command;
}

void add_exact(CLI::App& command, Told& told) {
  command.add_flag("--exact", told.client.exact,
                   "Money with all nine decimals (default: those of its currency, rounded half to even)");
}

void add_serve(CLI::App& app, Told& told) {
  service::ServerOptions& server = told.server;
  CLI::App* command = app.add_subcommand(
      "serve", "Run the four services in this process, over the embedded journal or over Kafka (--brokers)");
  command->add_option("--data", server.data, "Where the journal and the state lie")->capture_default_str();
  command->add_option("--listen", server.listen, "ADDRESS:PORT; port 0 takes a free one")->capture_default_str();
  command->add_option("--partitions", server.partitions, "Partitions of a new ledger, for ever (default 8)")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option("--checkpoint-records", server.checkpoint_records,
                   "Write a checkpoint of an inbox after so many of its records (default 10000)")
      ->check(CLI::Range(1, 1'000'000'000));
  service::add_kafka_options(*command, server.brokers, server.kafka, server.kafka_file,
                             "Kafka's brokers, HOST:PORT,HOST:PORT, in place of the embedded journal");
  command->add_option("--peers", server.peers, "A file of who owns which shards: lines of URL MACHINE SHARDS");
  command->add_option("--log", server.log, "Lines on standard error (default: text on a terminal, else json)")
      ->check(CLI::IsMember({"json", "text"}));
  command->footer(
      "Ends within 10 s of SIGTERM or Ctrl-C. Exit codes: 0 stopped as asked, 1 stopped because the log or the state "
      "failed, 2 usage, 3 cannot start.");
  command->callback(
      [&told] { told.exit_code = service::run_server(told.server, standalone::services(), service::Creates::yes); });
}

void add_topics(CLI::App& app, Told& told) {
  TopicsArguments& arguments = told.topics;
  CLI::App* command = app.add_subcommand("topics", "The topics of a ledger in Kafka: make them, check them, list them");
  service::add_kafka_options(*command, arguments.brokers, arguments.kafka, arguments.kafka_file,
                             "Kafka's brokers: HOST:PORT,HOST:PORT")
      ->required();
  command->add_flag("--create", arguments.create, "Make what is missing, with the ledger's first records");
  command->add_flag("--check", arguments.check, "Print only what is missing or set wrongly, with what mends it");
  command->add_option("--partitions", arguments.partitions, "Of a new ledger, for ever (default 8)")
      ->check(CLI::Range(1, 1024));
  command->add_option("--replication", arguments.replication, "Replicas of new topics (default: the brokers')")
      ->check(CLI::Range(1, kReplicasMax));
  command->add_flag("--json", arguments.json, "For machines");
  command->footer("Exit codes: 0 all is well, 1 a topic is missing or set wrongly, 2 usage, 3 cannot ask.");
  command->callback([&told] { told.exit_code = topics(told.topics); });
}

void add_questions(CLI::App& app, Told& told) {
  add_question(app, told, "projects", "Balances of all projects").callback([&told] {
    told.exit_code = projects(told.client);
  });
  CLI::App& asking_charges =
      add_question(app, told, "charges", "Charges of each project and month: used, covered by grants, billed");
  add_exact(asking_charges, told);
  asking_charges.callback([&told] { told.exit_code = charges(told.client); });
  CLI::App& asking_balance = add_question(app, told, "balance", "Balance of one project, with its lots");
  asking_balance.add_option("PROJECT", told.project, "The project's name")->required();
  asking_balance.callback([&told] { told.exit_code = balance(told.client, told.project); });
  add_question(app, told, "sources",
               "What became of the usage of each source: received = metered + repeated + rejected + pending")
      .callback([&told] { told.exit_code = sources(told.client); });
  CLI::App& rejections = add_question(app, told, "rejected", "What the rules refused, and why");
  rejections.add_option("--source", told.source, "Only of this source");
  rejections.add_option("--id", told.id, "Only with this id");
  rejections.callback([&told] { told.exit_code = rejected(told.client, told.source, told.id); });
  CLI::App& asking_status =
      add_client_command(app, told, "status", "How the server's shards stand: positions, lag, what is parked");
  asking_status.add_flag("--check", told.status.check, "For probes: exit 1 if a person should look");
  asking_status.add_option("--lag-seconds-max", told.status.lag_seconds_max, "With --check: more is worth a look")
      ->capture_default_str();
  asking_status.footer(
      "Exit codes: 0 the server answered; with --check 1 if a shard is parked, lags more than that or by nobody knows "
      "how much, holds charges that wait for a price, or if the clock waits for a person; 2 usage, 3 no server.");
  asking_status.callback([&told] { told.exit_code = status(told.client, told.status); });
}

void add_post(CLI::App& app, Told& told) {
  CLI::App& command = add_client_command(
      app, told, "post", "Send CloudEvents: JSON objects one after the other (one a line, or printed), or arrays");
  command.add_option("FILE", told.file, "- for standard input")->required();
  command.footer(
      "Each run of decisions or of usage is sent once the effect of all before it is there, so that one file may hold "
      "decisions and the usage that needs them.\n"
      "Exit codes: 0 every event was taken (new, a repeat, or waiting), 1 one was refused, 2 no JSON, 3 cannot run (no "
      "server, no such file).");
  command.callback([&told] { told.exit_code = post(told.client, told.file); });
}

void add_export(CLI::App& app, Told& told) {
  CLI::App& command = add_question(app, told, "export", "Write usage or charges as they were posted, row by row");
  command.add_option("WHAT", told.exporting.what)->required()->check(CLI::IsMember({"usage", "charges"}));
  command.add_option("--format", told.exporting.format)->check(CLI::IsMember({"csv", "json"}))->capture_default_str();
  command.add_option("--out", told.exporting.out,
                     "To this file (default: standard output), which has its name only once it is whole");
  command.footer("Exit codes: 0 all rows are written, 1 refused, 2 usage, 3 cannot run (no server, no room).");
  command.callback([&told] {
    if (told.client.json) told.exporting.format = "json";
    told.exit_code = export_rows(told.client, told.exporting);
  });
}

void add_import(CLI::App& app, Told& told) {
  ImportArguments& import = told.import;
  CLI::App& command = add_client_command(
      app, told, "import", "Read a workload file and post it as usage: checked as a whole first, repeatable");
  command.add_option("FILE", import.file, "Plain, gzip, or a zip of one member")->required();
  command.add_option("--format", import.format)
      ->required()
      ->check(CLI::IsMember({"swf", "openb", "sacct-json", "sacct"}));
  command.add_option("--cluster", import.cluster, "Slurm: the cluster's name");
  command.add_option("--project-from", import.project_from, "What names the project")
      ->check(CLI::IsMember({"group", "user", "account", "binding"}));
  command.add_option("--project-prefix", import.project_prefix, "Project names begin with it");
  command.add_option("--shift-end-to", import.shift_end_to, "Move the file so that its last job ends then");
  command.add_option("--epoch", import.epoch, "openb: the time of the file's second 0");
  command.add_option("--time-zone", import.time_zone, "sacct text: the zone of its local times, an IANA name or UTC");
  command
      .add_option("--delimiter", import.delimiter,
                  "sacct text: what separates the fields, as sacct --delimiter; \\t is a tab")
      ->capture_default_str();
  command.add_option("--columns", import.columns,
                     "sacct text without a header: the names of its columns, separated by commas");
  command.add_flag(
      "--trust-text", import.trust_text,
      "sacct text: take columns that users write (JobName, SubmitLine, ...), in which a line end makes rows");
  command.add_option("--complete-through", import.complete_through, "State the sources complete through this time");
  command.add_option("--award-all", import.award_all,
                     "For trials: give each project HOURS of each class (bytes: GiB-hours)");
  command
      .add_option("--retry-for", import.retry_for_s,
                  "While the server is away: try again for so many SECONDS, with the same ids")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command.add_flag("--dry-run", import.dry_run, "Check and count, post nothing");
  command.add_flag("--strict", import.strict, "Exit 4 if any row was refused");
  command.add_flag(
      "--again", import.again,
      "Import although it may count twice: the jobs came in under other options, in another time zone or as "
      "another cluster's");
  command.add_flag("--whole-jobs", import.whole_jobs,
                   "sacct: the file holds whole jobs, although some begin or end at midnight, as sacct --truncate "
                   "makes them");
  command.footer(
      "Examples:\n"
      "  granary import jobs.json --format sacct-json --project-prefix hpc\n"
      "  granary import jobs.psv --format sacct --time-zone Europe/Helsinki --cluster aif1\n"
      "  granary import NASA.swf.zip --format swf --project-prefix nasa --shift-end-to 2026-11-01T00:00:00Z "
      "--award-all 1000\n\n"
      "Slurm's text is best written by sacct --parsable2 --noconvert --duplicates --allusers --format=JobID,Cluster,\n"
      "Account,User,QOS,Partition,Reservation,State,Submit,Eligible,Start,End,ElapsedRaw,Suspended,AllocTRES: whole "
      "jobs,\n"
      "exact numbers, no text of users.\n\n"
      "Exit codes: 0 every row answered, 1 stopped in the middle (run it again), 2 usage, 3 refused before anything "
      "was posted, or the summary could not be written (run it again), 4 --strict and a row was refused, 5 the file is "
      "cut short.");
  command.callback([&told] { told.exit_code = import_file(told.client, told.import); });
}

void add_tail(CLI::App& app, Told& told) {
  TailArguments& tailing = told.tail;
  CLI::App& command = add_client_command(
      app, told, "tail", "Show what the outward streams tell, in the order of each partition, one event a line");
  command.add_option("STREAM", tailing.stream, "billing: charges; notices: what portals act on; rejected: refusals")
      ->required()
      ->check(CLI::IsMember({"billing", "notices", "rejected"}));
  command.add_option("--from", tailing.from, "BEGINNING, END, or in each partition the record with that number")
      ->check(check_place)
      ->capture_default_str();
  command.add_option("--partition", tailing.partition, "Only this one (default: all, one after the other)");
  command.add_flag("--follow", tailing.follow, "Go on as events come, until Ctrl-C");
  add_exact(command, told);
  service::add_kafka_options(command, tailing.brokers, tailing.kafka, tailing.kafka_file,
                             "Read from Kafka, HOST:PORT,HOST:PORT, in place of a server");
  command.footer(
      "With --json each line is a CloudEvent. An event may come twice, with the same source and id.\n"
      "Exit codes: 0 done, 2 usage, 3 cannot read, or not all could be written.");
  command.callback([&told] { told.exit_code = tail(told.client, told.tail); });
}

void add_replay(CLI::App& app, Told& told) {
  ReplayArguments& replaying = told.replay;
  CLI::App* command =
      app.add_subcommand("replay", "Fold every machine again from the log of a stopped server, and compare");
  command->add_option("--data", replaying.data, "The server's data directory; with --brokers may be repeated")
      ->allow_extra_args(false)
      ->capture_default_str();
  service::add_kafka_options(*command, replaying.brokers, replaying.kafka, replaying.kafka_file,
                             "Replay from Kafka, in place of the directory's journal");
  command->add_option("--until", replaying.until, "TOPIC/PARTITION/OFFSET: only that shard, and only so many records");
  command->add_option("--expect", replaying.expect,
                      "The digest that has to come out: the one over all, with --until that shard's");
  command->add_flag("--json", replaying.json, "For machines");
  command->footer("Exit codes: 0 equal, 1 different (the first difference named), 2 usage, 3 cannot run.");
  command->callback([&told] { told.exit_code = replay(told.replay); });
}

void add_clock(CLI::App& app, Told& told) {
  CLI::App* clock = app.add_subcommand("clock", "The ledger's clock");
  clock->require_subcommand(1);
  CLI::App& confirm = add_client_command(*clock, told, "confirm",
                                         "Say that a clock that stepped, or differs from the other doors', is right");
  confirm.callback([&told] { told.exit_code = clock_confirm(told.client); });
}

void add_rules(CLI::App& app, Told& told) {
  CLI::App& rules = add_client_command(
      app, told, "rules", "Rules versions: which this build knows, and by which one each shard folds events");
  rules.require_subcommand(0, 1);
  CLI::App* activate = rules.add_subcommand("activate", "Bring a version into force: the one after that in force");
  add_url(*activate, told.client);
  activate->add_flag("--json", told.client.json, "For machines");
  activate->add_option("VERSION", told.rules.version)->required()->check(CLI::Range(1, 1'000'000));
  activate->add_flag("--force", told.rules.force,
                     "Although an instance does not know the version, whose partitions then park, or does not answer");
  activate->footer(
      "What stands in the log before is folded by the rules of its time, for ever. Every instance is asked first\n"
      "whether it knows the version. Exit codes: 0 taken, 1 refused, or an instance does not know it, 2 usage, 3 no\n"
      "server.");
  rules.callback([&told, activate] {
    told.exit_code = activate->parsed() ? activate_rules(told.client, told.rules) : list_rules(told.client);
  });
}

int run(int argc, char** argv) {
  CLI::App app{
      "Granary: the allocation ledger of an AI Factory. Keeps what projects were granted, what their jobs used, and "
      "what that is worth, and can fold every figure again from its log.\n\n"
      "First steps, in one shell and another:\n"
      "  granary serve --data DIR                        the ledger, on http://127.0.0.1:8080\n"
      "  granary post deploy/example/1-policies.json     what is counted, and what it costs\n"
      "  granary import FILE --format swf ...            what a scheduler's jobs used\n"
      "  granary projects                                granted, used, expired, available, uncovered\n"
      "  granary balance PROJECT                         the same of one project, lot by lot\n"
      "  granary export charges                          what finance is told, month by month\n"
      "  granary replay --data DIR                       after the server has stopped: all of it again, compared\n"
      "\nEach command says more: granary COMMAND --help",
      "granary"};
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 1 refused, not found or different, 2 usage, 3 cannot run (no server, no such file, or not "
      "all "
      "of the output could be written).");
  Told told;
  add_serve(app, told);
  add_topics(app, told);
  add_questions(app, told);
  add_post(app, told);
  add_export(app, told);
  add_import(app, told);
  add_tail(app, told);
  add_replay(app, told);
  add_rules(app, told);
  add_clock(app, told);
  if (const auto ended = service::parse_command_line(app, argc, argv)) return *ended;
  return told.exit_code;
}

}  // namespace
}  // namespace granary::cli

int main(int argc, char** argv) {
  return granary::service::run_program([&] { return granary::cli::run(argc, argv); });
}
