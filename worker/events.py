"""The closed list of log events: nothing else is logged. `says` is the sentence for people; every field of it is also a JSON field.

EVENTS.md is generated from here.
"""

from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of log line. `meaning` tells an operator what it means and what to do, if anything."""

    name: str
    level: Level
    says: str
    meaning: str


# fmt: off
# The supervisor and its children
SUPERVISOR_STARTED = Event("supervisor_started", "info", "kherd {version} started {app}: {count} workers, state in {state_dir}", "The daemon runs.")
SUPERVISOR_STOPPING = Event("supervisor_stopping", "info", "stopping: {reason}; {seconds:.0f} s left", "The one deadline of the stop has begun.")
SUPERVISOR_STOPPED = Event("supervisor_stopped", "info", "stopped with exit code {code}: {reason}", "Everything is down.")
PIDFILE_MISSING = Event("pidfile_missing", "warning", "there is no pidfile at {path}: {reason}", "The herd runs without it; make room, and it is written at the next start.")
RELOAD_IMPOSSIBLE = Event("reload_impossible", "warning", "a reload will be refused: as {user} the configuration cannot be read again: {reason}", "Let app.user read the file, and what it names with file:.")
GAVE_UP = Event("gave_up", "error", "giving up: {reason}", "Exit 70; see the reason.")
CHILD_STARTED = Event("child_started", "info", "{child} started as pid {child_pid}", "A child process exists.")
CHILD_READY = Event("child_ready", "info", "{child} ready after {seconds:.3f} s", "A worker has its assignment; a service does its work.")
CHILD_DIED = Event("child_died", "warning", "{child} (pid {child_pid}) died: {cause}", "An unwanted death; the next line of the same child says what follows.")
CHILD_ENDED = Event("child_ended", "info", "{child} (pid {child_pid}) ended: {cause}", "A wanted end.")
CHILD_BACKOFF = Event("child_backoff", "warning", "{child} is started again in {seconds:.1f} s ({reason})", "Deaths before it was ready for long enough.")
CHILD_HELD = Event("child_held", "error", "{child} is held down: {reason}", "Starting again cannot help; mend it, then reload.")
CHILD_KILLED = Event("child_killed", "warning", "{child} (pid {child_pid}) is killed: {reason}", "A deadline passed, it hung, or it was over limits.memory_hard.")
CHILD_HANGS = Event("child_hangs", "warning", "{child} (pid {child_pid}) hangs: {reason}", "Its stacks follow, then it gets a second to end by itself (TERM), then it is killed.")
CHILD_RECYCLED = Event("child_recycled", "info", "{child} (pid {child_pid}) is replaced: {reason}", "It was over one of [limits]; it finishes and commits what it has in flight first.")
RECYCLE_FUTILE = Event("recycle_futile", "warning", "{child} is over its limit again, and left alone until it has been ready for {seconds:.0f} s ({reason}; {baseline} when it had become ready)", "A new process is soon where the old one was: raise limits.memory_soft above what a worker needs.")
MEMORY_UNKNOWN = Event("memory_unknown", "warning", "what memory {child} uses cannot be read: {reason}", "limits.memory_soft and .memory_hard are not kept: kherd must run as the user of its workers, or have CAP_SYS_PTRACE.")
SUSPENDED = Event("suspended", "warning", "kherd itself did not run for {seconds:.1f} s", "It was stopped, or the machine was: nobody else is blamed for that time, limits and deadlines run on from there.")
CHILD_STACKS = Event("child_stacks", "warning", "stacks of {child} (pid {child_pid}): {stacks}", "Every thread's Python stack, asked for by USR1 or before a kill.")
UNFINISHED = Event("unfinished", "warning", "{child} left {topic}[{partition}] {first}-{last} unfinished", "The records that will be delivered again.")
STRANGER_REAPED = Event("stranger_reaped", "debug", "reaped pid {child_pid}, not one of ours: {cause}", "A process that a handler left behind.")
STRANGERS_KILLED = Event("strangers_killed", "warning", "killed {count} process(es) that handlers had left behind: {pids}", "Said at the end of a stop. A process that a handler starts should end with it.")
SPAWN_FAILED = Event("spawn_failed", "error", "{child} could not be started: {reason}", "Counts as a failed start; it is tried again after a backoff.")
PRELOAD_REFUSED = Event("preload_refused", "warning", "the handler's module is not preloaded: {reason}", "Importing it started threads or opened sockets, which do not survive a fork; workers import it themselves.")
SIGNAL_RECEIVED = Event("signal_received", "info", "{signal}: {action}", "Who operates the daemon did this.")
SCALED = Event("scaled", "info", "workers: {before} -> {after} ({reason})", "The wanted number of workers changed.")
AUTOSCALED = Event("autoscaled", "info", "autoscaling{dry_run}: {before} -> {after} workers, {reason} (lag {lag}, {partitions} partitions, {foreign} members of others)", "The lag asked for another number of workers; with `autoscale.dry_run` nothing follows.")
AUTOSCALE_HOLDS = Event("autoscale_holds", "debug", "autoscaling: {after} workers still, {reason} (lag {lag}, {partitions} partitions, {foreign} members of others)", "The reason why the number of workers stays is another one.")
RELOADED = Event("reloaded", "info", "configuration reloaded: {changes}", "The new configuration is in force, or being rolled out.")
RELOAD_REFUSED = Event("reload_refused", "error", "configuration not reloaded, the old one stays: {problems}", "Mend the file, then reload again.")
ROLL_STARTED = Event("roll_started", "info", "rolling {count} workers to generation {generation}", "One slot first, as the canary; then slot by slot, stop then start.")
CANARY_CHOSEN = Event("canary_chosen", "info", "{child} is the canary of generation {generation}", "It is stopped and started in the new generation; the others wait until it has been ready for `reload.settle`.")
CANARY_ACCEPTED = Event("canary_accepted", "info", "{child} has stood the trial: generation {generation} is accepted", "The other workers follow, one by one; from here on nothing is rolled back.")
CANARY_SKIPPED = Event("canary_skipped", "info", "no worker does its work: generation {generation} is accepted without a canary", "There is nothing that a canary could protect.")
ROLLED_BACK = Event("rolled_back", "error", "generation {generation} is rolled back to {back_to}: {reason}", "The workers keep their code and their settings; mend it, then reload or restart: it is tried again even if the file has not changed.")
ROLL_ABANDONED = Event("roll_abandoned", "warning", "the roll to generation {generation} is abandoned: {reason}", "A newer reload or restart took its place, or a stop.")
ROLL_DONE = Event("roll_done", "info", "all workers run generation {generation}", "The reload is complete.")
QUIET = Event("quiet", "info", "quiet: {state}", "USR2: nothing new is taken until the next USR2.")
PAUSED = Event("paused", "info", "paused by an operator: {places} ({reason})", "Nothing of it is begun until `kherd resume`; partitions stay assigned and their lag is true.")
RESUMED = Event("resumed", "info", "resumed: {places}; still paused: {left}", "What was left lying is handled, in order.")
PAUSES_IGNORED = Event("pauses_ignored", "error", "{path} is ignored, nothing is paused: {reason}", "What an operator had paused before goes on; pause it again.")
CONTROL_REFUSED = Event("control_refused", "warning", "control: {reason}", "A client was refused; the loop goes on.")
NOTICE_SENT = Event("notice_sent", "info", "death notice for {child}: {kind} in {ms:.0f} ms", "The coordinator knows; `take_over`: it was checked whether it has to.")
NOTICE_FAILED = Event("notice_failed", "warning", "death notice for {child} failed: {reason}", "The session timeout is what is left.")
NOTICES_DISABLED = Event("notices_disabled", "warning", "death notices are off: {reason}", "After a crash the group waits for the session timeout.")
BROKERS_UNREACHABLE = Event("brokers_unreachable", "error", "no broker answers: {reason}", "Limits on joining do not run meanwhile, and no canary is judged.")
BROKERS_REACHABLE = Event("brokers_reachable", "info", "brokers answer again after {seconds:.1f} s", "The outage is over; limits on joining run again.")
LAG_UNKNOWN = Event("lag_unknown", "warning", "lag unknown: {reason}", "A failed read is never zero.")
MEMBERS_UNKNOWN = Event("members_unknown", "warning", "the members of the group are unknown: {reason}", "Who else consumes is not known, which is never taken for nobody; the ACLs must allow to describe the group.")
TOPIC_CREATED = Event("topic_created", "info", "created topic {topic} with {partitions} partitions", "A dead-letter topic, or a topic of the embedded broker.")
TOPIC_MISSING = Event("topic_missing", "warning", "topic {topic} does not exist: {reason}", "Create it, or allow kherd to.")
BROKER_STARTED = Event("broker_started", "info", "embedded broker listens on {bootstrap}", "For trials: no persistence.")
BROKER_FAILED = Event("broker_failed", "error", "the embedded broker cannot start: {reason}", "The herd stops with 70; point kafka.bootstrap at a real Kafka, or mend the installation.")
METRICS_FAILED = Event("metrics_failed", "warning", "statsd at {address}: {reason}", "Metrics are lost until it answers; nothing else is.")
BOOTSTRAP_UNWRITTEN = Event("bootstrap_unwritten", "warning", "the embedded broker's address is not in {path}: {reason}", "Feeders find it in `kherd status --json`; make room in the state folder.")
NOTIFY_IGNORED = Event("notify_ignored", "warning", "{variable}={value} in the environment is ignored: {reason}", "systemd is not told, or has no watchdog on kherd; see what set the variable.")
NOTIFY_FAILED = Event("notify_failed", "warning", "systemd cannot be told at {address}: {reason}", "Said once; what has to be heard is tried again each second. The herd goes on.")
HTTP_LISTENS = Event("http_listens", "info", "metrics.http: /metrics, /healthz and /readyz on {address}", "Prometheus and probes are answered there.")
HTTP_FAILED = Event("http_failed", "warning", "metrics.http: cannot listen on {address}: {reason}; tried again every {seconds:g} s", "Free the port, or set metrics.http to another one and reload; nothing else is concerned.")
OUTAGE_ASSUMED = Event("outage_assumed", "error", "taken for an outage: {error} ({records} records of {partitions} partitions failed alike, with hardly any handled between them)", "Nothing is put aside for it. One record at a time is tried, every errors.backoff_max at the latest; when one is handled, all go on. Mend what is away; if nothing is, it is a bug: mend the handler and reload, or list the class in errors.poison.")
OUTAGE_OVER = Event("outage_over", "info", "over after {seconds:.1f} s: {error} ({reason})", "All records that waited for it are tried again.")
OUTAGE_DOUBTED = Event("outage_doubted", "warning", "no longer taken for an outage: {error} ({reason})", "The records that failed so are judged one by one again, and put aside when their attempts are exhausted.")
ALERT_RAISED = Event("alert_raised", "error", "alert {alert}: {summary}", "Look at it; `kherd status` shows it as long as it lasts.")
ALERT_CLEARED = Event("alert_cleared", "info", "alert {alert} is over: {summary}", "Nothing is left to do.")
ALERT_DELIVERED = Event("alert_delivered", "info", "alert {alert} ({state}) delivered to {target}", "The webhook answered 2xx, or the command ended with 0.")
ALERT_FAILED = Event("alert_failed", "warning", "alert {alert} ({state}) not delivered to {target}: {reason}; {next}", "See alerts.webhook and alerts.command; the alert itself is in the log.")
# A worker
WORKER_BOOTED = Event("worker_booted", "debug", "handler {handler} loaded", "The worker waits at the barrier.")
ASSIGNED = Event("assigned", "info", "assigned {partitions}", "The worker has these partitions now.")
REVOKED = Event("revoked", "info", "revoked {partitions}", "The worker gave them back after a commit of what was finished.")
LOST = Event("lost", "warning", "lost {partitions}", "The group took them away; what was unfinished is done by their next owner.")
DRAINED = Event("drained", "info", "drained: {handled} records handled, {uncommitted} finished but not committed", "The worker ended in order. What was finished but not committed is delivered again.")
RECORD_RETRIED = Event("record_retried", "warning", "{topic}[{partition}]@{offset}: {error}; attempt {attempt}, again in {seconds:.1f} s", "The partition waits, the others go on.")
RECORD_HELD = Event("record_held", "error", "{topic}[{partition}]@{offset} held after {attempt} attempts ({reason}): {error}", "Its partition waits, the others go on; it is tried again once per errors.backoff_max.")
RECORD_WAITS = Event("record_waits", "warning", "{topic}[{partition}]@{offset} waits for the end of an outage: {error}", "So many failed alike that this one is not to blame; no attempt is counted. See outage_assumed.")
RECORD_RELEASED = Event("record_released", "info", "{topic}[{partition}]@{offset} handled at attempt {attempt}; the partition goes on", "A record that had failed before went through; nothing is left to do.")
DEAD_LETTERED = Event("dead_lettered", "warning", "{topic}[{partition}]@{offset} dead-lettered to {dead_letter_topic}: {error}", "The dead letter is acknowledged; the offset moves past the record.")
DEAD_LETTER_FAILED = Event("dead_letter_failed", "error", "{topic}[{partition}]@{offset} cannot be dead-lettered to {dead_letter_topic}: {reason}; the partition is paused", "Nothing is dropped; it is tried again until it succeeds. Missing: create the topic. Not authorised: allow this user to write it. Too large: raise its max.message.bytes.")
PRODUCE_FAILED = Event("produce_failed", "error", "{topic}[{partition}]@{offset}: its output to {output_topic} failed: {reason}", "The record is retried as if its handler had raised.")
BATCH_FAILED = Event("batch_failed", "warning", "a batch of {count} records raised {error}; it is rerun one record at a time", "Which of its records is the bad one shows in the lines that follow.")
COMMIT_FAILED = Event("commit_failed", "warning", "commit failed: {reason}", "Finished work may be delivered again; the next commit carries it.")
COMMIT_STUCK = Event("commit_stuck", "warning", "a commit is unanswered for {seconds:.0f} s", "The group coordinator does not answer.")
OFFSET_OUT_OF_RANGE = Event("offset_out_of_range", "error", "{topic}[{partition}]: the position was out of range; {gap} records are gone, going on at {offset}", "Retention was faster than the consumer, or the topic was re-created.")
HANDED_OVER = Event("handed_over", "info", "{topic}[{partition}] goes on at {offset}, where worker pid {worker_pid} was when it died: {count} finished records are not delivered again (committed: {committed})", "A crash cost nothing but what was in flight.")
NOT_HANDED_OVER = Event("not_handed_over", "warning", "{topic}[{partition}]: that worker pid {worker_pid}, which died, was done up to {offset} is not used: {reason}", "The partition begins at its commit; finished records may be delivered again.")
COMMIT_UNKNOWN = Event("commit_unknown", "warning", "{topic}[{partition}] waits until it is known what is committed: {reason}", "It is asked again until the group coordinator answers; other partitions go on.")
START_UNKNOWN = Event("start_unknown", "warning", "where {partitions} begins is not known yet: {reason}", "kafka.start is latest and nothing is committed. It is looked up again; until that succeeds, records that come before a crash may be skipped after it.")
FENCED = Event("fenced", "error", "fenced: {reason}", "Another process uses this group.instance.id.")
UNRELEASED = Event("unreleased", "warning", "the instance id is still held by a dead member: {reason}; joining again", "A restart was faster than the group coordinator; the death notice is repeated.")
CONSUMER_REPLACED = Event("consumer_replaced", "warning", "not in the group yet, and {reason}; joining with a new consumer", "Brokers are away, or the client had lost its way to them: that is told apart by `brokers_unreachable`.")
CLIENT_LOG = Event("client_log", "info", "{facility}: {text}", "librdkafka's own log line.")
CLIENT_ERROR = Event("client_error", "warning", "{code}: {text}", "librdkafka reports; it goes on by itself.")
SIGNAL_TAKEN = Event("signal_taken", "warning", "the handler has taken {signal} for itself; it is taken back", "Said once per signal and worker. kherd needs it: let the handler look at kherd.context().stopping instead.")
HANDLER_FORKED = Event("handler_forked", "error", "the handler forked and returned in both: the copy of worker {worker} ends here", "The worker goes on, nothing is done twice. A forked child must end by itself, with os._exit.")
HANDLER_FAILED = Event("handler_failed", "error", "handler {handler} cannot be used: {reason}", "The slot is held; mend the handler, then reload.")
HANDLER_CLOSE_FAILED = Event("handler_close_failed", "warning", "closing handler {handler} failed: {reason}", "The worker ends all the same; what close() was to do may be undone.")
PRODUCER_REPLACED = Event("producer_replaced", "warning", "the producer failed for good and is replaced: {reason}", "What it had not delivered is reported as failed and tried again.")
LINES_LOST = Event("lines_lost", "warning", "{count} log lines were lost: nobody read standard error", "The daemon never waits for the reader of its log; see what reads it.")
LINE_BROKEN = Event("line_broken", "error", "a log line of {logger} could not be written: {reason}", "A line of the handler's own logger, with arguments that do not fit it.")
INTERNAL_ERROR = Event("internal_error", "error", "[BUG] {reason}", "Please report it, with the traceback.")

# fmt: on
EVENTS: tuple[Event, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Event))
