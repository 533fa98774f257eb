-- What the append costs for each session: the greatest number was looked up twice,
-- because the planner pulls up a subquery and then evaluates each use of its column
-- (OFFSET 0 forbids that); and two questions need not be asked when nobody is
-- fenced, and when nobody is new.
DO $leaner$
DECLARE
    body text := pg_get_functiondef('append_v1'::regproc);
    edit text[];
    edits constant text[] := ARRAY[
      ARRAY[
$old$                 WHERE i.slot = ANY (owned)) AS s;$old$,
$new$                 WHERE i.slot = ANY (owned) OFFSET 0) AS s;$new$],
      ARRAY[
$old$        RETURN QUERY
        SELECT s.id, 2::smallint, NULL::text, NULL::bigint, NULL::integer,
               NULL::boolean
          FROM unnest(s_id, s_slot) AS s (id, slot)
         WHERE s.slot <> ALL (owned);
$old$,
$new$        IF cardinality(owned) < cardinality(c_slot) THEN
            RETURN QUERY
            SELECT s.id, 2::smallint, NULL::text, NULL::bigint, NULL::integer,
                   NULL::boolean
              FROM unnest(s_id, s_slot) AS s (id, slot)
             WHERE s.slot <> ALL (owned);
        END IF;
$new$],
      ARRAY[
$old$        SELECT array_agg(s.id) INTO bad
          FROM unnest(s_id, s_slot, s_base, s_channel, s_user)
                 AS s (id, slot, base, channel, usr)
          JOIN session o ON o.channel = s.channel AND o.user_id = s.usr
                        AND o.phase <> 'closed' AND o.id <> s.id
         WHERE s.base = 0 AND s.slot = ANY (owned);
$old$,
$new$        bad := NULL;
        IF 0 = ANY (s_base) THEN
            SELECT array_agg(s.id) INTO bad
              FROM unnest(s_id, s_slot, s_base, s_channel, s_user)
                     AS s (id, slot, base, channel, usr)
              JOIN session o ON o.channel = s.channel AND o.user_id = s.usr
                            AND o.phase <> 'closed' AND o.id <> s.id
             WHERE s.base = 0 AND s.slot = ANY (owned);
        END IF;
$new$]];
BEGIN
    FOREACH edit SLICE 1 IN ARRAY edits LOOP
        IF position(edit[1] IN body) = 0 THEN
            RAISE EXCEPTION 'append_v1 is not as this migration knows it: %',
                            edit[1];
        END IF;
        body := replace(body, edit[1], edit[2]);
    END LOOP;
    EXECUTE body;
END
$leaner$;
