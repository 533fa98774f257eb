-- A conversation that wakes up (the customer was silent for long, or wrote again
-- during the wrap-up) takes its full room again, even of an agent who is full: it
-- is that agent's customer. Everything new must still fit.
DO $wake_up$
DECLARE
    was   text := pg_get_functiondef('append_v1'::regproc);
    asked text := 'WHERE d.delta > 0';
BEGIN
    IF position(asked IN was) = 0 THEN
        RAISE EXCEPTION 'append_v1 is not as this migration expects it';
    END IF;
    EXECUTE replace(was, asked, asked || '
                   AND NOT EXISTS (SELECT FROM assignment t
                                    WHERE t.session_id = one.id
                                      AND t.agent = d.agent
                                      AND NOT t.open_offer)');
END
$wake_up$;
