-- The fenced append: everything that a group commit writes, as one statement.
--
-- It is a function and not one query with many WITH parts, because in READ
-- COMMITTED each query inside a VOLATILE function has a snapshot of its own. The
-- first locks the slot rows; all that follow see what was committed before the
-- lock was granted. In a single query the snapshot would be older than the lock.
--
-- Returns a row for each session that was not simply written:
--   verdict 1 duplicate (one row for each known message), 2 fenced,
--   3 agent_full, 4 stale. A session without a row is committed.
CREATE FUNCTION append_v1(
    me text,
    -- what the writer believes to own
    c_slot smallint[], c_epoch bigint[],
    -- sessions
    s_id bigint[], s_slot smallint[], s_base integer[], s_epoch bigint[],
    s_channel text[], s_user text[], s_changed boolean[], s_holds boolean[],
    s_phase text[], s_queue text[], s_agent text[], s_ownership bigint[],
    s_opened bigint[], s_state text[],
    -- entries
    e_session bigint[], e_seq integer[], e_kind smallint[], e_event text[],
    e_author text[], e_body text[], e_source text[], e_at bigint[],
    e_contact text[], e_key text[], e_digest bigint[], e_epoch bigint[],
    -- holds of the sessions with s_holds
    h_session bigint[], h_agent text[], h_load integer[], h_open boolean[],
    h_offer bigint[],
    -- outbox
    o_id text[], o_slot smallint[], o_session bigint[], o_seq integer[],
    o_subject text[], o_headers text[], o_payload text[],
    -- decisions
    d_session bigint[], d_seq integer[], d_body text[],
    -- watermarks
    w_slot smallint[], w_offset bigint[], w_stream text[],
    -- dead letters
    x_slot smallint[], x_offset bigint[], x_subject text[], x_reason text[],
    x_headers text[], x_payload bytea[],
    -- presences
    p_slot smallint[], p_agent text[], p_now text[], p_reason text[],
    -- outbox rows sent, and given up
    o_done text[], o_dead text[]
) RETURNS TABLE (session bigint, verdict smallint, source text,
                 at_session bigint, at_seq integer, same_body boolean)
LANGUAGE plpgsql VOLATILE
-- Plans are made once, perhaps on empty tables, and kept: they must be those that
-- stay right as tables grow. Every look-up here is by key, so: nested loops over
-- indexes, always.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    owned smallint[];
    good  bigint[];
    bad   bigint[];
    one   record;
    took  integer;
    every boolean; -- all sessions are written, as nearly always
BEGIN
    -- 1. The fence. Waits for a takeover under way, and holds off the next one
    --    until our commit.
    SELECT coalesce(array_agg(f.slot), '{}') INTO owned
      FROM (SELECT s.slot
              FROM slot s
              JOIN unnest(c_slot, c_epoch) AS c (slot, epoch)
                ON s.slot = c.slot AND s.epoch = c.epoch
             WHERE s.owner = me
             ORDER BY s.slot
               FOR SHARE OF s) AS f;

    IF cardinality(s_id) > 0 THEN
        RETURN QUERY
        SELECT s.id, 2::smallint, NULL::text, NULL::bigint, NULL::integer,
               NULL::boolean
          FROM unnest(s_id, s_slot) AS s (id, slot)
         WHERE s.slot <> ALL (owned);

        -- 2. Does the session stand where the writer thinks?
        SELECT coalesce(array_agg(s.id) FILTER (WHERE s.last = s.base), '{}'),
               array_agg(s.id) FILTER (WHERE s.last <> s.base)
          INTO good, bad
          FROM (SELECT i.id, i.base,
                       coalesce((SELECT max(e.seq) FROM entry e
                                  WHERE e.session_id = i.id), 0) AS last
                  FROM unnest(s_id, s_slot, s_base) AS i (id, slot, base)
                 WHERE i.slot = ANY (owned)) AS s;

        -- A repeat after a lost reply finds its own first entry: committed.
        IF bad IS NOT NULL THEN
            RETURN QUERY
            SELECT s.id, 4::smallint, NULL::text, NULL::bigint, NULL::integer,
                   NULL::boolean
              FROM unnest(s_id, s_base, s_epoch) AS s (id, base, epoch)
             WHERE s.id = ANY (bad)
               AND NOT EXISTS (
                   SELECT FROM entry e
                     JOIN unnest(e_session, e_seq, e_kind, e_author, e_body,
                                 e_source)
                            AS w (session, seq, kind, author, body, source)
                       ON w.session = e.session_id AND w.seq = e.seq
                    WHERE e.session_id = s.id AND e.seq = s.base + 1
                      AND e.epoch = s.epoch AND e.kind = w.kind
                      AND e.author = w.author AND e.body = w.body
                      AND e.source_id = w.source);
        END IF;

        -- A second open session of a contact must not come to be.
        SELECT array_agg(s.id) INTO bad
          FROM unnest(s_id, s_slot, s_base, s_channel, s_user)
                 AS s (id, slot, base, channel, usr)
          JOIN session o ON o.channel = s.channel AND o.user_id = s.usr
                        AND o.phase <> 'closed' AND o.id <> s.id
         WHERE s.base = 0 AND s.slot = ANY (owned);
        IF bad IS NOT NULL THEN
            RETURN QUERY SELECT b, 4::smallint, NULL::text, NULL::bigint,
                                NULL::integer, NULL::boolean
                           FROM unnest(bad) AS b;
            good := ARRAY (SELECT g FROM unnest(good) AS g WHERE g <> ALL (bad));
        END IF;

        -- 3. Messages that were stored before.
        SELECT array_agg(DISTINCT e.session) INTO bad
          FROM unnest(e_session, e_contact, e_key) AS e (session, contact, key)
          JOIN seen n ON n.contact = e.contact AND n.source = e.key
         WHERE e.key <> '';
        IF bad IS NOT NULL THEN
            RETURN QUERY
            SELECT e.session, 1::smallint, substr(e.key, 3), n.session_id, n.seq,
                   n.digest = e.digest
              FROM unnest(e_session, e_contact, e_key, e_digest)
                     AS e (session, contact, key, digest)
              JOIN seen n ON n.contact = e.contact AND n.source = e.key
             WHERE e.key <> '' AND e.session = ANY (good);
            good := ARRAY (SELECT g FROM unnest(good) AS g WHERE g <> ALL (bad));
        END IF;

        -- 4. Room at agents. All rows are locked in one order before the first
        --    is changed, so two writers cannot wait for each other.
        IF true = ANY (s_holds) THEN
            PERFORM FROM agent a
              WHERE a.id IN (SELECT unnest(h_agent)
                             UNION
                             SELECT t.agent FROM assignment t
                              WHERE t.session_id = ANY (s_id))
              ORDER BY a.id FOR UPDATE;
            FOR one IN SELECT s.id FROM unnest(s_id, s_holds) AS s (id, holds)
                        WHERE s.holds AND s.id = ANY (good)
            LOOP
                SELECT count(*) INTO took
                  FROM (SELECT x.agent, sum(x.load) AS delta
                          FROM (SELECT h.agent, h.load
                                  FROM unnest(h_session, h_agent, h_load)
                                         AS h (session, agent, load)
                                 WHERE h.session = one.id
                                UNION ALL
                                SELECT t.agent, -t.load FROM assignment t
                                 WHERE t.session_id = one.id) AS x
                         GROUP BY x.agent) AS d
                  LEFT JOIN agent a ON a.id = d.agent
                 WHERE d.delta > 0
                   AND (a.id IS NULL OR a.active + d.delta > a.capacity);
                IF took > 0 THEN
                    RETURN QUERY SELECT one.id, 3::smallint, NULL::text,
                                        NULL::bigint, NULL::integer,
                                        NULL::boolean;
                    good := array_remove(good, one.id);
                    CONTINUE;
                END IF;
                UPDATE agent a SET active = a.active + d.delta
                  FROM (SELECT x.agent, sum(x.load)::integer AS delta
                          FROM (SELECT h.agent, h.load
                                  FROM unnest(h_session, h_agent, h_load)
                                         AS h (session, agent, load)
                                 WHERE h.session = one.id
                                UNION ALL
                                SELECT t.agent, -t.load FROM assignment t
                                 WHERE t.session_id = one.id) AS x
                         GROUP BY x.agent) AS d
                 WHERE a.id = d.agent AND d.delta <> 0;
                DELETE FROM assignment t WHERE t.session_id = one.id;
                INSERT INTO assignment (session_id, agent, load, open_offer,
                                        offer)
                SELECT h.session, h.agent, h.load, h.open, h.offer
                  FROM unnest(h_session, h_agent, h_load, h_open, h_offer)
                         AS h (session, agent, load, open, offer)
                 WHERE h.session = one.id;
            END LOOP;
        END IF;

        -- 5. Write.
        every := cardinality(good) = cardinality(s_id);
        INSERT INTO entry (session_id, seq, epoch, kind, event, author, body,
                           source_id, at)
        SELECT e.session, e.seq, e.epoch, e.kind, e.event, e.author, e.body,
               e.source, to_timestamp(e.at / 1000.0)
          FROM unnest(e_session, e_seq, e_epoch, e_kind, e_event, e_author,
                      e_body, e_source, e_at)
                 AS e (session, seq, epoch, kind, event, author, body, source,
                       at)
         WHERE every OR e.session = ANY (good);

        INSERT INTO seen (contact, source, session_id, seq, digest)
        SELECT e.contact, e.key, e.session, e.seq, e.digest
          FROM unnest(e_session, e_seq, e_contact, e_key, e_digest)
                 AS e (session, seq, contact, key, digest)
         WHERE e.key <> '' AND (every OR e.session = ANY (good));

        IF true = ANY (s_changed) THEN
            INSERT INTO session AS t (id, slot, channel, user_id, phase, queue,
                                      agent, ownership, opened_at, closed_at,
                                      state)
            SELECT s.id, s.slot, s.channel, s.usr, s.phase, s.queue,
                   NULLIF(s.agent, ''),
                   s.ownership, to_timestamp(s.opened / 1000.0),
                   CASE WHEN s.phase = 'closed' THEN now() END, s.state::jsonb
              FROM unnest(s_id, s_slot, s_channel, s_user, s_changed, s_phase,
                          s_queue, s_agent, s_ownership, s_opened, s_state)
                     AS s (id, slot, channel, usr, changed, phase, queue, agent,
                           ownership, opened, state)
             WHERE s.changed AND (every OR s.id = ANY (good))
            ON CONFLICT (id) DO UPDATE
               SET phase = excluded.phase, queue = excluded.queue,
                   agent = coalesce(excluded.agent, t.agent),
                   ownership = excluded.ownership,
                   closed_at = excluded.closed_at, state = excluded.state;
        END IF;

        IF cardinality(o_id) > 0 THEN
            INSERT INTO outbox (dedupe_id, slot, session_id, seq, subject,
                                headers, payload)
            SELECT o.id, o.slot, o.session, o.seq, o.subject, o.headers::jsonb,
                   o.payload
              FROM unnest(o_id, o_slot, o_session, o_seq, o_subject, o_headers,
                          o_payload)
                     AS o (id, slot, session, seq, subject, headers, payload)
             WHERE every OR o.session = ANY (good);
        END IF;

        IF cardinality(d_session) > 0 THEN
            INSERT INTO decision (session_id, seq, body)
            SELECT d.session, d.seq, d.body::jsonb
              FROM unnest(d_session, d_seq, d_body) AS d (session, seq, body)
             WHERE every OR d.session = ANY (good);
        END IF;
    END IF;

    -- 6. What belongs to slots and not to sessions.
    IF cardinality(w_slot) > 0 THEN
        UPDATE ingress i SET last_offset = w.last_offset, stream = w.stream
          FROM unnest(w_slot, w_offset, w_stream)
                 AS w (slot, last_offset, stream)
         WHERE i.slot = w.slot AND w.slot = ANY (owned)
           AND (i.stream <> w.stream OR i.last_offset < w.last_offset);
    END IF;
    IF cardinality(x_slot) > 0 THEN
        INSERT INTO dead_letter (slot, lane_offset, subject, reason, headers,
                                 payload)
        SELECT x.slot, x.lane_offset, x.subject, x.reason, x.headers::jsonb,
               x.payload
          FROM unnest(x_slot, x_offset, x_subject, x_reason, x_headers,
                      x_payload)
                 AS x (slot, lane_offset, subject, reason, headers, payload)
         WHERE x.slot = ANY (owned)
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(p_agent) > 0 THEN
        UPDATE agent a SET presence = p.presence, reason = p.reason
          FROM unnest(p_slot, p_agent, p_now, p_reason)
                 AS p (slot, agent, presence, reason)
         WHERE a.id = p.agent AND p.slot = ANY (owned);
    END IF;
    IF cardinality(o_done) > 0 THEN
        DELETE FROM outbox o USING unnest(o_done) AS d (id)
         WHERE o.dedupe_id = d.id;
    END IF;
    IF cardinality(o_dead) > 0 THEN
        UPDATE outbox o SET state = 'dead' FROM unnest(o_dead) AS d (id)
         WHERE o.dedupe_id = d.id;
    END IF;
END $$;
