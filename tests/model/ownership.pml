/* Who may write what into a slot: leases, claims, the fence inside the append,
 * planned hand-over, and receipts of the direct lane. One slot with one session:
 * its customer sends messages 1, 2 ... MESSAGES one after the other, its agent
 * one message at any time. NODES nodes, and one PostgreSQL whose statements are
 * atomic. Checked by Spin, all interleavings.
 *
 * What may go wrong, at any moment: a node ends and starts again; a node is
 * frozen or slow (it simply is not scheduled); any node takes any other for dead;
 * the reply to a statement is lost; the connection is lost while a statement is
 * still under way, which is then carried out late or never; a copy of a message
 * arrives late, again and again.
 *
 * Each BREAK_... takes one precaution away, and an assertion must fail then;
 * each REACH_... asserts that something cannot happen, and must fail, too: the
 * model would prove nothing about what it never does.
 */

#ifndef NODES
#define NODES 2
#endif
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef EPOCHS
#define EPOCHS 4
#endif
#ifndef ENDS
#define ENDS 1
#endif

#define NOBODY NODES
#define REPLY (MESSAGES + 1) /* The agent's message. */

/* -- what PostgreSQL holds -------------------------------------------------- */

byte owner = NOBODY;       /* slot.owner */
byte epoch = 1;            /* slot.epoch */
bool renewed[NODES];       /* Has the lease of the owner that this node saw moved
                            * since it looked? Stands for comparing counters. */
byte last;                 /* entries in the log */
byte place[MESSAGES + 2];  /* seen: the entry of each message, 0 if none */

/* -- what only the checker knows -------------------------------------------- */

byte last_epoch;           /* Of the last entry. */
byte first_epoch;          /* Of the first. */
byte held;                 /* A bit for each epoch that a node has served at. */
byte ends;
bool handed;               /* A slot was handed over as planned. */

/* -- the senders ------------------------------------------------------------- */

/* Up to here the customer was given receipts. One more is sent, and copies of all
 * of them may still arrive anywhere. */
byte receipts;
bool replied;              /* The agent was given a receipt. */
#define ALL_SAID (receipts == MESSAGES && replied)

/* -- the nodes, which forget all this when they end -------------------------- */

typedef node {
  byte term;      /* The epoch at which it believes to own the slot, or 0. */
  bool loaded;    /* Has read the log. */
  byte picture;   /* Entries in the log, as far as it knows. */
  bool settling;  /* Takes nothing new: the slot is to move. */
  bool doubtful;  /* It does not know whether the slot has moved. */
  bool looked;
  byte saw_owner; /* What it saw when it looked. */
  byte saw_epoch;
#ifdef BREAK_READ_AFTER_CLAIM
  byte saw_last;
#endif
}

/* An append on its way to PostgreSQL. */
typedef statement {
  byte message;   /* 0: there is none. */
  byte at_epoch;
  byte base;      /* The picture of the log that it was made with. */
  bool passed;    /* Only when the fence is a query of its own. */
  bool fresh;     /* Only when looking up `seen` is a query of its own. */
}

node nodes[NODES];
statement asked[NODES];    /* The one that the node waits for. */
statement stray;           /* Its connection is lost; nobody waits for it. */
byte stray_of;             /* The node that had sent it. */
byte handed_picture;       /* What the giver told of the log. */

inline forget(n) {
  nodes[n].term = 0;
  nodes[n].loaded = false;
  nodes[n].picture = 0;
  nodes[n].settling = false;
  nodes[n].doubtful = false
}

inline forget_look(n) {
  nodes[n].looked = false;
  nodes[n].saw_owner = 0;
  nodes[n].saw_epoch = 0;
#ifdef BREAK_READ_AFTER_CLAIM
  nodes[n].saw_last = 0;
#endif
  renewed[n] = false
}

inline clear(s) {
  s.message = 0;
  s.at_epoch = 0;
  s.base = 0;
  s.passed = false;
  s.fresh = false
}

inline copy(to, from) {
  to.message = from.message;
  to.at_epoch = from.at_epoch;
  to.base = from.base;
  to.passed = from.passed;
  to.fresh = from.fresh
}

/* What the node waits for may be carried out all the same, later. One statement
 * at a time can be lost like that; each further one ends with its connection. */
inline lose_connection(n) {
  if
  :: stray.message == 0 && asked[n].message != 0 ->
     copy(stray, asked[n]);
     stray_of = n
  :: else
  fi
}

/* -- the append --------------------------------------------------------------- */

#define COMMITTED 1 /* or stored before: `place` tells where */
#define FENCED 2

#ifdef BREAK_FENCE
#define FENCE_HOLDS(n, s) true
#else
#ifdef BREAK_FENCE_EPOCH
#define FENCE_HOLDS(n, s) (owner == n)
#else
#define FENCE_HOLDS(n, s) (owner == n && epoch == s.at_epoch)
#endif
#endif

#ifdef BREAK_SEEN
#define KNOWN(s) false
#else
#define KNOWN(s) (place[s.message] != 0)
#endif

/* What PostgreSQL does with one statement, at once. */
inline append(n, s, verdict) {
  if
  :: !s.passed && !FENCE_HOLDS(n, s) -> verdict = FENCED
  :: else ->
     if
     :: !s.fresh && KNOWN(s) -> verdict = COMMITTED
     :: else ->
        /* Who writes, owns the slot now, and at this epoch. */
        assert(owner == n && epoch == s.at_epoch);
        /* Each message once, each after the one before it. */
        assert(place[s.message] == 0);
        assert(s.message == 1 || s.message == REPLY || place[s.message - 1] != 0);
        /* Who owns the slot knows the log: no number is given twice. */
        assert(s.base == last);
        /* Epochs never go back in the log. */
        assert(s.at_epoch >= last_epoch);
        last++;
        last_epoch = s.at_epoch;
        if :: first_epoch == 0 -> first_epoch = s.at_epoch :: else fi;
        place[s.message] = last;
        verdict = COMMITTED
     fi
  fi
}

inline note_receipt(what) {
  if
  :: what == REPLY -> replied = true
  :: what == receipts + 1 && receipts < MESSAGES -> receipts++
  :: else
  fi
}

inline give_receipt(what, seq) {
  /* What the sender is told is in the log, where it is told. */
  assert(place[what] != 0 && place[what] == seq);
  note_receipt(what)
}

inline take_reply(n, verdict) {
  if
  :: verdict == FENCED -> forget(n)
  :: verdict == COMMITTED ->
     nodes[n].picture =
       (place[asked[n].message] > nodes[n].picture ->
          place[asked[n].message] : nodes[n].picture);
#ifndef BREAK_RECEIPT
     give_receipt(asked[n].message, place[asked[n].message])
#endif
  fi;
  clear(asked[n])
}

/* -- a node -------------------------------------------------------------------- */

#ifdef BREAK_CLAIM_LEASE
#define LEASE_RESTS(n) true
#else
#define LEASE_RESTS(n) (owner == NOBODY || owner == n || !renewed[n])
#endif

/* Does the slot still stand as the node saw it? */
#ifdef BREAK_CLAIM_EPOCH
#define CLAIM_HOLDS(n) LEASE_RESTS(n)
#else
#define CLAIM_HOLDS(n) (epoch == nodes[n].saw_epoch && \
                        owner == nodes[n].saw_owner && LEASE_RESTS(n))
#endif

/* It owns the slot from here on: what it serves at, nobody served at before. */
inline serve(n, at) {
  assert((held & (1 << at)) == 0);
  held = held | (1 << at);
  forget(n);
  nodes[n].term = at
}

proctype Node(byte me) {
  byte verdict;
  byte message;

  do
  /* Its lease. */
  :: atomic { message = 0;
       do
       :: message < NODES ->
          if
          :: nodes[message].looked && nodes[message].saw_owner == me ->
             renewed[message] = true
          :: else
          fi;
          message++
       :: else -> break
       od;
       message = 0 }

  /* It looks at slot and leases. */
  :: atomic { !nodes[me].looked || nodes[me].saw_epoch != epoch || renewed[me] ->
       forget_look(me);
       if
       :: nodes[me].term == 0 ->
          nodes[me].looked = true;
          nodes[me].saw_owner = owner;
          nodes[me].saw_epoch = epoch;
#ifdef BREAK_READ_AFTER_CLAIM
          nodes[me].saw_last = last
#endif
       :: nodes[me].term != 0 && (owner != me || epoch != nodes[me].term) ->
          /* It is somebody else's. */
          lose_connection(me);
          clear(asked[me]);
          forget(me)
       :: nodes[me].doubtful && owner == me && epoch == nodes[me].term ->
          nodes[me].doubtful = false;
          nodes[me].settling = false
       :: else
       fi }

  /* It claims what is nobody's, was its own in a former life or handed to it,
   * or belongs to a node that it takes for dead, rightly or wrongly. */
  :: atomic { nodes[me].looked && nodes[me].term == 0 && asked[me].message == 0 &&
              nodes[me].saw_epoch < EPOCHS ->
       if
       :: CLAIM_HOLDS(me) ->
          /* Who has renewed since is not taken for dead. */
          assert(owner == me || owner == NOBODY || !renewed[me]);
          owner = me;
          epoch = nodes[me].saw_epoch + 1;
          if
          :: serve(me, epoch);
#ifdef BREAK_READ_AFTER_CLAIM
             nodes[me].loaded = true;
             nodes[me].picture = nodes[me].saw_last
#endif
          :: skip /* The reply was lost: it will find the slot its own. */
          fi
       :: else
       fi;
       forget_look(me) }

#ifdef BREAK_BOOT
  /* Its own name stands there, so it goes on where its former life was. */
  :: atomic { nodes[me].looked && nodes[me].term == 0 && asked[me].message == 0 &&
              nodes[me].saw_owner == me && owner == me &&
              epoch == nodes[me].saw_epoch ->
       forget(me);
       nodes[me].term = epoch;
       forget_look(me) }
#endif
#ifdef BREAK_HANDED_PICTURE
  /* It serves what it was handed, from what the giver told it. */
  :: atomic { nodes[me].looked && nodes[me].term == 0 && asked[me].message == 0 &&
              handed && nodes[me].saw_owner == me && owner == me &&
              epoch == nodes[me].saw_epoch &&
              (held & (1 << epoch)) == 0 ->
       serve(me, epoch);
       nodes[me].loaded = true;
       nodes[me].picture = handed_picture;
       forget_look(me) }
#endif

  /* It reads the log, only after its claim. */
  :: atomic { nodes[me].term != 0 && !nodes[me].loaded ->
       nodes[me].picture = last;
       nodes[me].loaded = true }

  /* A message arrives, perhaps once more. */
  :: atomic { nodes[me].loaded && !nodes[me].settling &&
              asked[me].message == 0 && !ALL_SAID ->
       if
       :: receipts < MESSAGES -> message = receipts + 1
       :: receipts > 0 -> select (message : 1 .. receipts)
       :: !replied -> message = REPLY
       fi;
       asked[me].message = message;
       asked[me].at_epoch = nodes[me].term;
       asked[me].base = nodes[me].picture;
#ifdef BREAK_RECEIPT
       note_receipt(message);
#endif
       message = 0 }

  /* PostgreSQL carries the statement out ... */
#ifdef BREAK_FENCE_APART
  :: atomic { asked[me].message != 0 && !asked[me].passed &&
              FENCE_HOLDS(me, asked[me]) -> asked[me].passed = true }
#endif
#ifdef BREAK_SEEN_APART
  :: atomic { asked[me].message != 0 && !asked[me].fresh &&
              FENCE_HOLDS(me, asked[me]) &&
              place[asked[me].message] == 0 -> asked[me].fresh = true }
#endif
  :: atomic { asked[me].message != 0 ->
       append(me, asked[me], verdict);
       if
       /* ... and the reply arrives, */
       :: take_reply(me, verdict)
       /* or it is lost. The node asks again, the very same. */
       :: skip
#ifdef BREAK_SILENCE_IS_NO
       /* It takes the silence for a no and goes on. */
       :: clear(asked[me])
#endif
       fi;
       verdict = 0 }

  /* The connection is lost before that; the node asks again. */
  :: atomic { asked[me].message != 0 && stray.message == 0 ->
       lose_connection(me);
#ifdef BREAK_SILENCE_IS_YES
       give_receipt(asked[me].message, last);
       clear(asked[me])
#endif
       }
  :: atomic { stray.message != 0 && stray_of == me ->
       append(me, stray, verdict);
       clear(stray);
       stray_of = 0;
       verdict = 0 }

  /* A planned move: it takes nothing new, its last statement is answered, then
   * the slot gets its new owner, who will claim it. */
  :: atomic { nodes[me].loaded && !nodes[me].settling && epoch + 2 <= EPOCHS ->
#ifdef BREAK_HANDED_PICTURE
       handed_picture = nodes[me].picture;
#endif
       nodes[me].settling = true }
  :: atomic { nodes[me].settling && !nodes[me].doubtful &&
              asked[me].message == 0 ->
       if
       :: owner == me && epoch == nodes[me].term ->
          owner = (me + 1) % NODES;
          epoch++;
          handed = true;
          if
          :: forget(me)
          :: nodes[me].doubtful = true /* The reply was lost. */
          fi
       :: else -> forget(me)
       fi }
  :: atomic { nodes[me].settling && !nodes[me].doubtful -> /* Never arrives. */
       nodes[me].doubtful = true }

  /* It ends, and starts again at once, knowing nothing. */
  :: atomic { ends < ENDS && (nodes[me].term != 0 || asked[me].message != 0) ->
       ends++;
       lose_connection(me);
       clear(asked[me]);
       forget(me);
       forget_look(me) }

  /* All is said, or the model's supply of epochs is used up. */
  :: atomic { ALL_SAID || epoch >= EPOCHS ->
       break }
  od;

#ifdef REACH_END
  assert(!ALL_SAID)
#endif
#ifdef REACH_MOVE
  assert(!(ALL_SAID && handed && first_epoch < last_epoch))
#endif
#ifdef REACH_TAKEOVER
  assert(!(ALL_SAID && !handed && ends == 0 &&
           first_epoch < last_epoch))
#endif
}

init {
  atomic {
    byte n;
    for (n : 0 .. NODES - 1) {
      run Node(n)
    }
  }
}
