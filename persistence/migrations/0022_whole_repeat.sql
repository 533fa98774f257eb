-- A repeat of a write is committed only if all of its entries are there. Its first
-- entry alone proves nothing: another write of the same owner may have begun with
-- the same line (an attempt that was given up, and carried out late), and then the
-- senders of the other lines were told of places that hold nothing.
DO $migration$
DECLARE
    was text := pg_get_functiondef('append_v1'::regproc);
    old constant text := $old$               AND NOT EXISTS (
                   SELECT FROM entry e
                     JOIN unnest(e_session, e_seq, e_kind, e_author, e_body,
                                 e_source)
                            AS w (session, seq, kind, author, body, source)
                       ON w.session = e.session_id AND w.seq = e.seq
                    WHERE e.session_id = s.id AND e.seq = s.base + 1
                      AND e.epoch = s.epoch AND e.kind = w.kind
                      AND e.author = w.author AND e.body = w.body
                      AND e.source_id = w.source);$old$;
    new constant text := $new$               AND (s.id <> ALL (e_session) OR EXISTS (
                   SELECT FROM unnest(e_session, e_seq, e_kind, e_event,
                                      e_author, e_body, e_source)
                            AS w (session, seq, kind, event, author, body,
                                  source)
                    WHERE w.session = s.id
                      AND NOT EXISTS (
                          SELECT FROM entry e
                           WHERE e.session_id = w.session AND e.seq = w.seq
                             AND e.epoch = s.epoch AND e.kind = w.kind
                             AND e.event = w.event AND e.author = w.author
                             AND e.body = w.body AND e.source_id = w.source)));$new$;
BEGIN
    IF position(old IN was) = 0 THEN
        RAISE EXCEPTION 'append_v1 is not as this migration knows it';
    END IF;
    EXECUTE replace(was, old, new);
END
$migration$;
