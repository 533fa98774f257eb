-- A join that was undone stays undone: the address that led to it leads there no
-- more for this contact.

CREATE INDEX contact_change_by_contact ON contact_change (channel, user_id, id);

-- As in 0003, but a contact never goes back by itself to a customer from whom
-- it was separated.
CREATE OR REPLACE FUNCTION identify_v1(of_channel text, of_user text,
                                       phone text, email text, fresh text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    was  text;
    into_customer text;
BEGIN
    PERFORM pg_advisory_xact_lock(7142302, hashtext(a))
       FROM (SELECT x FROM unnest(ARRAY[phone, email,
                                        of_channel || ':' || of_user]) AS u (x)
              WHERE x <> '' ORDER BY x) AS o (a);
    SELECT customer_id INTO was FROM contact
     WHERE channel = of_channel AND user_id = of_user;
    SELECT i.customer_id INTO into_customer FROM identity i
     WHERE i.address IN (phone, email) AND i.address <> ''
       AND NOT EXISTS (SELECT FROM contact_change c
                        WHERE c.channel = of_channel AND c.user_id = of_user
                          AND c.reason = 'separated' AND c.was = i.customer_id)
     ORDER BY (i.address = phone) DESC LIMIT 1;
    into_customer := coalesce(into_customer, was, fresh);
    INSERT INTO customer (id) VALUES (into_customer) ON CONFLICT DO NOTHING;
    INSERT INTO identity (address, customer_id)
    SELECT a, into_customer FROM unnest(ARRAY[phone, email]) AS a WHERE a <> ''
    ON CONFLICT DO NOTHING;
    IF was IS DISTINCT FROM into_customer THEN
        INSERT INTO contact (channel, user_id, customer_id)
        VALUES (of_channel, of_user, into_customer)
        ON CONFLICT (channel, user_id)
        DO UPDATE SET customer_id = excluded.customer_id;
        INSERT INTO contact_change (channel, user_id, was, became, reason)
        VALUES (of_channel, of_user, was, into_customer,
                CASE WHEN phone = '' AND email = '' THEN 'first seen'
                     ELSE 'verified address' END);
    END IF;
    RETURN into_customer;
END $$;
