/**
 * The words that a model's claims may be made of, beside names out of the
 * evidence. Pure data, and how to look up a word in any of its forms.
 *
 * Whoever writes an alert or a log line can ask a model for any sentence. With
 * these words it can only say what ails a system: there is none to give orders,
 * to ask for an approval, to say that all is well, or of another language.
 *
 * @module
 */

const FUNCTION_WORDS =
  `a an the this that these those it its they their them there here
  is are was were be been being am has have had having do does did done
  and or but nor so as at by for from in into of off on onto out over per
  since than then through to toward towards under until up upon via while with
  within without after before during between among across along around about
  above below against behind beside besides beyond near inside outside
  when where which who whose what why how whether if once because although
  though however also too only even still yet already again just not no none
  nothing never neither each every any some all both other another same such
  more most less least much many few several very rather quite almost nearly
  can cannot could may might will would one first last next later earlier now
  soon ago
  possible possibly probable probably likely perhaps maybe apparently seem
  seemingly appear suggest indicate consistent`;

const NOUNS =
  `access activity age agent alert alarm allocation amount api app application
  archive argument array attempt authentication authorization availability
  average back backend backlog backoff backup balancer bandwidth base baseline
  batch begin beginning behavior behaviour block boot bottleneck bound branch breach
  broker bucket buffer bug build bus byte cache call capacity cascade cause
  ceiling certificate chain change channel check checkpoint chunk circuit
  claim client clock cloud cluster code collection command commit component
  compute concurrency condition config configuration conflict congestion
  connection connectivity connector constraint consumer consumption container
  contention context control controller core correlation cost count counter
  course crash cron cursor curve cycle daemon dashboard data database datastore
  date day deadlock deadline decline decrease default degradation delay demand
  dependency deployment descriptor destination detail device difference
  directory discovery disk disruption distribution dns domain downstream
  downtime drain drift drop duration edge effect element end endpoint engine
  entry environment error event eviction evidence exception exec execution
  exhaustion exit expiry expiration export exporter failover failure fall
  family fault feature field figure file filesystem filter firewall flag
  flapping flow flush folder footprint fork format fraction frame frequency
  front frontend function garbage gap gateway gauge generation graph group
  growth half handle handler handshake hardware header headroom health heap
  heartbeat height history hit host hour hypervisor identity image impact
  increase index indexer information ingress input insert instance integration
  interface interrupt interval invocation io issue item iteration job kernel
  key kind label lag latency layer leader leak lease length level library
  limit line link list listener load lock log logic loop loss machine mail main
  maintenance majority manager manifest mapping margin mark master match
  maximum mean measurement mechanism member memory merge message metadata
  metric middle migration minimum minute mirror mismatch miss mode model module
  moment monitor mount name namespace need network node notification number
  object observation offset onset operation operator order origin outage output
  overhead overload override owner pack package packet page pair parallel
  parameter parent part partition pass path pattern pause payload peak peer
  percent percentage performance period permission persistence phase pipeline
  place plan plane platform pod point policy poll pool port position possibility
  pressure primary priority probe problem process processing processor producer
  product production profile program progress propagation protocol provider
  proxy publish pull push quality quantity query question queue quorum quota
  race range rate ratio read reader reading readiness reason rebalance rebuild
  reclaim reconnect record recovery reduction reference refresh refusal region
  registry relation release reload remainder replica replication report
  repository request requirement reset resize resolution resolver resource
  response rest restart restore result retention retry return review revision
  rise role rollback rollout root rotation round route router routine row rule
  run runtime saturation scale scan schedule scheduler schema scope search
  second section segment selector sequence series server service session
  set setting shape shard share shift shortage shutdown side sign signal
  site size skew slot snapshot socket software source space span speed spike
  spill spread stack stage stall standby start startup starvation state
  statement statistic status step storage store storm stream string structure
  subnet subscriber subscription subset sum summary supply surge swap switch
  symptom sync synchronization system table tablespace tag tail target task team
  template tenant term termination test thread threshold throttle throttling
  throughput tick tier time timeline timeout timer timestamp token top topic
  topology total trace traffic transaction transfer transition transport trend
  trigger tunnel type unavailability unit update upgrade upload uptime upstream
  usage use user utilization vacuum validation value variable variation version
  view virtual volume wait wal warning watch watcher way web webhook week
  weight window word work worker workload write writer year zone
  order cart payment checkout customer invoice shop catalog search login user
  liveness sidecar daemonset statefulset replicaset kubelet etcd cpu ram oom
  http https tcp udp tls ssl ssh sql json yaml grpc rpc jvm gc iops qps rps pvc
  pv hpa vpc nat arp mtu url uri id ip ui sdk cli ci cd aws gcp azure utc
  approach autovacuum autoscaler analytics billing category cleanup consistency
  driver elevation env exclusion file-descriptor heartbeat info insight join
  lookup max min avg parse parser plan provision provisioning query-plan revenue
  select spec superuser timeout verification handshake cipher certificate-chain
  authority issuer resolver nameserver cname record zone mesh envoy-proxy ingest
  ingestion inode mountpoint rebuild raid sector spindle controller firmware
  kernel module page swap thread mutex semaphore spinlock syscall signal segfault
  coredump stacktrace traceback assertion overflow underflow regex encoding
  charset locale timezone offset rebalancing compaction memtable tombstone
  keyspace bloom shard-key primary-key foreign-key sequence view trigger
  tenant workspace account region datacenter rack switchport uplink packet-loss
  jitter hop traceroute ping subnet mask nat-gateway peering
  kubernetes docker linux postgres postgresql mysql redis kafka nginx envoy
  prometheus grafana loki github pagerduty alertmanager node exporter`;

const VERBS =
  `accept access accumulate add affect agree allocate allow analyse analyze
  answer arise arrive assign associate attach attempt average back become begin
  belong block bring build buffer burst call cancel cap cascade cause change
  check clear climb close coincide collect come commit compare compete complete
  compute confirm conflict connect consume contain contend continue contribute
  convert copy correlate correspond count crash create cross deadlock decline
  decrease default define degrade delay deliver depend deploy deplete derive
  describe deteriorate detach detect deviate differ diverge double drain drift
  drop elapse emit encounter end enter evict exceed exhaust exist exit expand
  expire explain export fail fall fetch fill find finish fire flap flood flow
  fluctuate flush follow fork free freeze gain generate get give go grow hang
  happen hit hold impact implicate include increase indicate induce inspect
  interrupt invalidate involve jump keep lack last launch lead leak leave let
  lie limit list load lock log look lose lower make match measure merge migrate
  miss mount move need note notice observe occupy occur open operate originate
  outgrow outpace overflow overload overlap overrun own pass pause peak perform
  pile place point poll precede present preempt process produce propagate
  provide pull push put queue raise ramp reach read rebalance rebuild receive
  reclaim reconnect record recur reduce refer reflect refuse reject relate
  release reload remain remove render repeat replace replay replicate report
  request require reset resize resolve resolving respond rest restart result
  resume retry return reveal review rise roll rotate route run saturate say
  scale scan schedule see send serve set shed shift show shrink sit skip slow
  spend spike spread stall start starve stay stem stick stop store stream
  struggle stuck succeed suffer support surge swap switch take tend terminate
  throttle throw tie time trace track trail transfer trigger trip try turn
  unavailable unbound use utilize vacuum vary verify violate wait warn watch
  worsen write yield
  began begun became blocked bound broke broken brought built came caught chose
  did drew driven drove fallen fell felt found froze frozen gave given gone got
  grew grown had held hung kept knew known lay led left lost made met overran
  paid put ran read risen rose said saw seen sent shown shrank shrunk slept
  sought spent spoke spun stood stopped stuck swept taken threw thrown told took
  torn underwent went withdrawn won wore wrote written went lay lain`;

const QUALITIES =
  `abnormal able abrupt absent active actual additional adjacent affected
  alone alternating anomalous apparent automatic available average bad baseline
  big blank brief broad busy central certain clear close cold common complete
  concurrent configured connected considerable constant continuous correct
  corrupt critical current daily dead dedicated deep degraded delayed dense
  dependent different direct dirty distinct distributed double down dry due
  duplicate early east elevated empty entire equal erroneous essential exact
  excessive exclusive existing external extra failed fast faulty final first
  fixed-size flat following forward free frequent fresh full further general
  global gradual great green half hard heavy high hourly identical idle
  immediate inactive incoming incomplete inconsistent incorrect independent
  indirect individual initial insufficient intermittent internal invalid
  irregular isolated joint large late lately latest lean left light little live
  local locked logical long longer low lower main malformed manual marginal
  massive maximal medium minimal missing mixed multiple mutual narrow native
  negative new noisy north novel null obvious odd offline old online open
  outgoing outstanding overall overloaded own partial particular pending
  permanent persistent physical poor positive potential preceding present
  previous primary prior private prolonged proper public quick random rapid
  rare raw ready recent red redundant regional regular related relative
  relevant remote repeated resident respective rolling rough round scarce
  scheduled secondary separate serial severe shared sharp short significant
  similar simple simultaneous single slight slow small soft south specific
  sporadic stale static steady steep strong stuck subsequent substantial
  successive sudden sufficient sustained synchronous temporary thin tight tiny
  total transient true typical unable unavailable unbounded uneven unexpected
  unhealthy unique unknown unreachable unready unresponsive unresolved
  unschedulable unstable unusual upper upward useful valid variable vertical
  visible volatile warm weak weekly west whole wide worst worse wrong yellow
  zero downward sideways together apart instead mainly mostly partly shortly
  far away almost simultaneously roughly exactly approximately directly
  especially consecutive successive periodic background fatal graceful historic
  historical mild dominant standalone runaway eager lazy readonly writable
  readable executable stateless stateful asynchronous upstream downstream
  intermediate ephemeral orphan orphaned nested recursive numeric decimal binary
  compressed encrypted replicated partitioned sharded indexed cached queued
  false sound strange aggressive conservative considerable inner outer left right
  meanwhile thereby therefore hence thus afterwards beforehand altogether
  monday tuesday wednesday thursday friday saturday sunday january february
  march april june july august september october november december
  hour minute second day week month`;

/** In no form and no name: what could approve, belittle, reassure, plead. */
const RESERVED =
  `approve approval approver approves authorise lgtm signoff sign-off
  please must should shall ought kindly urgent urgently immediately you your
  yours we our us i me my
  ignore disregard forget override overrule bypass mute snooze dismiss
  acknowledge unassign erase wipe destroy purge uninstall poweroff sudo curl
  wget chmod rm bash powershell eval click visit browse navigate
  password passwd credential secret apikey passphrase login signin wire pay
  bitcoin wallet bank gift email phone slack dm
  healthy fine ok okay normal nominal normally harmless benign safe safely
  resolved fixed recovered solved good fake drill rehearsal simulation game
  joke exercise expected intended intentional trivial minor negligible
  unimportant irrelevant severity priority urgency
  prompt instruction instruct assistant chatgpt gpt llm ai jailbreak persona
  roleplay obey comply pretend
  guarantee guaranteed certainly definitely undoubtedly confirmed proven
  sha256 digest guilty hacker ransom ransomware attack attacker stolen`;

/** Orders; what was killed or skipped may be told. */
const ORDERS =
  `accept reject skip suppress silence ack delete truncate kill disable shutdown
  exec execute download install contact reply forward blame`;

const setOf = (...lists: string[]): ReadonlySet<string> =>
  new Set(lists.flatMap((list) => list.split(/\s+/)));
const FUNCTIONS = setOf(FUNCTION_WORDS);
const DENIED = setOf(RESERVED);
/** What only says what happens, or how. */
const THINGS = setOf(
  "memory disk network load lock log cache queue query request limit change",
);
const HAPPENINGS = setOf(FUNCTION_WORDS, VERBS, QUALITIES);
const DENIED_AS_IS = setOf(ORDERS);
const ORDINARY = setOf(FUNCTION_WORDS, NOUNS, VERBS, QUALITIES, ORDERS);

/** `restarting`, `restarted` and `restarts` are all forms of `restart`. */
function formsOf(word: string): string[] {
  const forms = [word];
  const add = (pattern: RegExp, ...ends: string[]) => {
    if (!pattern.test(word)) return;
    for (const end of ends) forms.push(word.replace(pattern, end));
  };
  add(/(?:'s|s')$/, "");
  add(/(?:ies|ied|ily)$/, "y");
  add(/(?<=[sxzo]|[cs]h)es$/, "");
  add(/(?<=[^s])s$/, "");
  add(/(?:ed|ing|ers?|able)$/, "", "e");
  add(/(.)\1(?:ed|ing|ers?)$/, "$1");
  add(/ly$/, "", "le");
  add(/(?:at)?(?:ion|ment)s?$/, "", "e", "ate");
  add(/^(?:un|re|non|mis|over|under|pre)-?(?=\w{3})/, "");
  return forms;
}

const STEM_CHARS_MIN = 3;

/** Whether a word in small letters, in any form, is one that claims may use. */
export function isOrdinary(word: string): boolean {
  return !isReserved(word) &&
    formsOf(word).some((form) =>
      ORDINARY.has(form) || formsOf(form).some((twice) => ORDINARY.has(twice))
    );
}

/** Whether a word is one that no claim of a model may use. */
export function isReserved(word: string): boolean {
  if (DENIED.has(word) || DENIED_AS_IS.has(word)) return true;
  const ends = ["s", "es", "d", "ed", "ing", "ly"].filter((end) =>
    word.endsWith(end)
  );
  return ends.some((end) => {
    const stem = word.slice(0, -end.length);
    return stem.length >= STEM_CHARS_MIN &&
      (DENIED.has(stem) || end === "ing" && DENIED.has(`${stem}e`));
  });
}

/** Whether a word names a thing: a noun of ours, or none of our words. */
export function isThing(word: string): boolean {
  return !formsOf(word).some((form) => HAPPENINGS.has(form)) ||
    THINGS.has(word);
}

/** Whether a word says nothing by itself. */
export function isFunctionWord(word: string): boolean {
  return FUNCTIONS.has(word);
}
