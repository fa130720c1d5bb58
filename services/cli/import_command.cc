// `granary import`: reads a workload file twice to check all of it, first on its own, then by the ledger's rules, and a
// third time to post it as CloudEvents through the server's door. Exit codes: 0 every row answered, 1 stopped in the
// middle (the server stayed away; run it again), 2 usage, 3 refused before any usage was posted, or the summary could
// not be written, 4 with --strict: a row was refused, 5 the input is cut short (its whole rows are posted, the source
// is not stated complete).
#include <memory>

#include "services/cli/command.h"
#include "services/cli/import_run.h"

namespace granary::cli {
namespace {

constexpr int kRetrySecondsMax = 1'000'000;  // eleven days: as good as for ever

Run declare(CLI::App& command) {
  const auto arguments = std::make_shared<ImportArguments>();
  add_client_options(command, arguments->client);
  command.add_option("FILE", arguments->file, "Plain, gzip, or a zip of one member")->required();
  command.add_option("--format", arguments->format)
      ->required()
      ->check(CLI::IsMember({"swf", "openb", "sacct-json", "sacct"}));
  command.add_option("--cluster", arguments->cluster, "Slurm: the cluster's name");
  command.add_option("--project-from", arguments->project_from, "What names the project")
      ->check(CLI::IsMember({"group", "user", "account", "binding"}));
  command.add_option("--project-prefix", arguments->project_prefix, "Project names begin with it");
  command.add_option("--shift-end-to", arguments->shift_end_to, "Move the file so that its last job ends then");
  command.add_option("--epoch", arguments->epoch, "openb: the time of the file's second 0");
  command.add_option("--time-zone", arguments->time_zone,
                     "sacct text: the zone of its local times, an IANA name or UTC");
  command
      .add_option("--delimiter", arguments->delimiter,
                  "sacct text: what separates the fields, as sacct --delimiter; \\t is a tab")
      ->capture_default_str();
  command.add_option("--columns", arguments->columns,
                     "sacct text without a header: the names of its columns, separated by commas");
  command.add_flag(
      "--trust-text", arguments->trust_text,
      "sacct text: take columns that users write (JobName, SubmitLine, ...), in which a line end makes rows");
  command.add_option("--complete-through", arguments->complete_through, "State the sources complete through this time");
  command.add_option("--award-all", arguments->award_all,
                     "For trials: give each project HOURS of each class (bytes: GiB-hours)");
  command
      .add_option("--retry-for", arguments->retry_for_s,
                  "While the server is away: try again for SECONDS, with the same ids")
      ->check(CLI::Range(0, kRetrySecondsMax))
      ->capture_default_str();
  command.add_flag("--dry-run", arguments->dry_run, "Check and count, post nothing");
  command.add_flag("--strict", arguments->strict, "Exit 4 if any row was refused");
  command.add_flag(
      "--again", arguments->again,
      "Import although it may count twice: the jobs came in under other options, in another time zone or as "
      "another cluster's");
  command.add_flag("--whole-jobs", arguments->whole_jobs,
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
  return [arguments] { return run_import(*arguments); };
}

const Registered registered({Users::portals, "import",
                             "Read a workload file and post it as usage: checked as a whole first, repeatable",
                             declare});

}  // namespace
}  // namespace granary::cli
