-- Who is one person: contacts that bring the same verified address.

-- Joins the contact to the customer known under one of the addresses ('' where
-- there is none); a contact without any gets `fresh`. Addresses that belonged to
-- nobody become this customer's. Where both addresses are known to different
-- customers the telephone's wins, and the other keeps its own contacts: two
-- persons are never merged as a whole.
CREATE FUNCTION identify_v1(of_channel text, of_user text, phone text,
                            email text, fresh text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    was  text;
    into_customer text;
BEGIN
    PERFORM pg_advisory_xact_lock(7142302, hashtext(a))
       FROM unnest(ARRAY[phone, email, of_channel || ':' || of_user]) AS a
      WHERE a <> '' ORDER BY a;
    SELECT customer_id INTO was FROM contact
     WHERE channel = of_channel AND user_id = of_user;
    SELECT customer_id INTO into_customer FROM identity
     WHERE address IN (phone, email) AND address <> ''
     ORDER BY (address = phone) DESC LIMIT 1;
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

-- Undoes a join: the contact gets a customer of its own.
CREATE FUNCTION separate_v1(of_channel text, of_user text, fresh text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    was text;
BEGIN
    SELECT customer_id INTO was FROM contact
     WHERE channel = of_channel AND user_id = of_user FOR UPDATE;
    IF was IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO customer (id) VALUES (fresh);
    UPDATE contact SET customer_id = fresh
     WHERE channel = of_channel AND user_id = of_user;
    INSERT INTO contact_change (channel, user_id, was, became, reason)
    VALUES (of_channel, of_user, was, fresh, 'separated');
    RETURN fresh;
END $$;
