//! The tables as diesel sees them: column for column what `migrations/` makes.
//!
//! Deliberately without types of our own: rows read and write the plain types that both databases
//! share, and become nouns of the domain in the file of their table.

diesel::table! {
    policies (digest) {
        digest -> Text,
        id -> Text,
        version -> Text,
        document -> Text,
        effective_from -> BigInt,
    }
}

diesel::table! {
    keys (id) {
        id -> Text,
        role -> Text,
        holder_kind -> Text,
        holder -> Text,
        algorithm -> Text,
        fingerprint -> Text,
        public_key -> Binary,
        origin -> Text,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    authorities (id) {
        id -> Text,
        code -> Text,
        kind -> Text,
        level -> Nullable<SmallInt>,
        generation -> Integer,
        country -> Text,
        organisation -> Text,
        identifier -> Text,
        common_name -> Text,
        issuer -> Nullable<Text>,
        key_id -> Text,
        algorithm -> Text,
        serial -> Text,
        not_before -> BigInt,
        not_after -> BigInt,
        certificate -> Nullable<Binary>,
        state -> Text,
        created_at -> BigInt,
        custody -> Text,
        dedicated -> Nullable<Text>,
        predecessor -> Nullable<Text>,
        crl_shards -> Integer,
    }
}

diesel::table! {
    organisations (id) {
        id -> Text,
        identifier -> Text,
        legal_name -> Text,
        kana -> Nullable<Text>,
        latin_name -> Nullable<Text>,
        country -> Text,
        postal_code -> Nullable<Text>,
        region -> Nullable<Text>,
        locality -> Nullable<Text>,
        street -> Nullable<Text>,
        language -> Text,
        state -> Text,
        created_at -> BigInt,
        searchable -> Text,
    }
}

diesel::table! {
    proofing_records (id) {
        id -> Text,
        organisation_id -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        method -> Text,
        level -> SmallInt,
        performed_by -> Text,
        performed_at -> BigInt,
        valid_until -> BigInt,
        evidence -> Text,
        source -> Nullable<Text>,
    }
}

diesel::table! {
    trusted_issuers (id) {
        id -> Text,
        name -> Text,
        certificate -> Binary,
        uses -> Text,
        organisation_id -> Nullable<Text>,
        from_at -> BigInt,
        until_at -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    persons (id) {
        id -> Text,
        name -> Text,
        contact -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    representatives (id) {
        id -> Text,
        organisation_id -> Text,
        person_id -> Text,
        capacity -> Text,
        evidence -> Text,
        from_at -> BigInt,
        until_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    delegates (id) {
        id -> Text,
        organisation_id -> Text,
        person_id -> Text,
        branch_id -> Nullable<Text>,
        from_at -> BigInt,
        until_at -> BigInt,
    }
}

diesel::table! {
    grants (id) {
        id -> Text,
        organisation_id -> Text,
        representative_id -> Text,
        grantee_id -> Text,
        parent_id -> Nullable<Text>,
        state -> Text,
        not_after -> BigInt,
        review_until -> Nullable<BigInt>,
        record -> Text,
    }
}

diesel::table! {
    custodian_tasks (container_id, opened_at) {
        container_id -> Text,
        opened_at -> BigInt,
        due_at -> BigInt,
        grant_id -> Text,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    approval_requests (id) {
        id -> Text,
        object_kind -> Text,
        object_id -> Text,
        organisation_id -> Nullable<Text>,
        shown -> Text,
        digest -> Text,
        askers -> Text,
        needs -> Text,
        opened_at -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    approvals (request_id, person) {
        request_id -> Text,
        person -> Text,
        step -> Text,
        verdict -> Text,
        decided_at -> BigInt,
        reason -> Text,
        actor -> Text,
        digest -> Text,
    }
}

diesel::table! {
    branches (id) {
        id -> Text,
        organisation_id -> Text,
        code -> Text,
        kind -> Text,
        name -> Text,
        latin_name -> Nullable<Text>,
        custodian_name -> Nullable<Text>,
        custodian_email -> Nullable<Text>,
        country -> Text,
        postal_code -> Nullable<Text>,
        region -> Nullable<Text>,
        locality -> Nullable<Text>,
        street -> Nullable<Text>,
        state -> Text,
        opened_at -> BigInt,
        searchable -> Text,
    }
}

diesel::table! {
    instances (id) {
        id -> Text,
        organisation_id -> Text,
        branch_id -> Text,
        level -> SmallInt,
        number -> Integer,
    }
}

diesel::table! {
    applications (id) {
        id -> Text,
        organisation_id -> Text,
        branch_id -> Text,
        level -> SmallInt,
        instance_id -> Text,
        instance_number -> Integer,
        validity_days -> BigInt,
        policy -> Text,
        digest -> Text,
        applicant_kind -> Text,
        applicant -> Text,
        applicant_authenticator -> Nullable<Text>,
        state -> Text,
        certificate_id -> Nullable<Text>,
        created_at -> BigInt,
        key_id -> Nullable<Text>,
        fingerprint -> Nullable<Text>,
        request -> Nullable<Binary>,
        changed_at -> BigInt,
        grant_id -> Nullable<Text>,
        grant_digest -> Nullable<Text>,
        wishes -> Text,
    }
}

diesel::table! {
    certificates (id) {
        id -> Text,
        authority_id -> Text,
        serial -> Text,
        profile -> Text,
        profile_version -> Integer,
        key_id -> Text,
        organisation_id -> Nullable<Text>,
        branch_id -> Nullable<Text>,
        instance_id -> Nullable<Text>,
        application_id -> Nullable<Text>,
        common_name -> Text,
        not_before -> BigInt,
        not_after -> BigInt,
        sealing_not_after -> Nullable<BigInt>,
        policy -> Text,
        tbs -> Binary,
        der -> Nullable<Binary>,
        state -> Text,
        cause -> Nullable<Text>,
        revoked_at -> Nullable<BigInt>,
        invalid_since -> Nullable<BigInt>,
        created_at -> BigInt,
        searchable -> Text,
    }
}

diesel::table! {
    status_log (rev) {
        rev -> BigInt,
        authority_id -> Text,
        serial -> Text,
        status -> Text,
        reason -> Nullable<Text>,
        revoked_at -> Nullable<BigInt>,
        invalid_since -> Nullable<BigInt>,
        at -> BigInt,
    }
}

diesel::table! {
    status_load (node, hour) {
        node -> Text,
        hour -> BigInt,
        answers -> BigInt,
        signed -> BigInt,
        failed -> BigInt,
    }
}

diesel::table! {
    status_beats (node) {
        node -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    counters (name) {
        name -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    crl_lists (authority_id, list, number) {
        authority_id -> Text,
        list -> Text,
        number -> BigInt,
        base -> Nullable<BigInt>,
        this_update -> BigInt,
        next_update -> BigInt,
        revision -> BigInt,
        entries -> BigInt,
        octets -> BigInt,
        digest -> Text,
    }
}

diesel::table! {
    crl_parts (authority_id, list, number, part) {
        authority_id -> Text,
        list -> Text,
        number -> BigInt,
        part -> Integer,
        der -> Binary,
    }
}

diesel::table! {
    published_lists (scheme, sequence) {
        scheme -> Text,
        sequence -> BigInt,
        issued_at -> BigInt,
        next_update -> Nullable<BigInt>,
        signer -> Text,
        digest -> Text,
        content -> Text,
        xml -> Binary,
        json -> Nullable<Text>,
        draft_id -> Nullable<Text>,
    }
}

diesel::table! {
    list_drafts (id) {
        id -> Text,
        scheme -> Text,
        base -> Nullable<Text>,
        author -> Text,
        opened_at -> BigInt,
        document -> Text,
        content -> Text,
        state -> Text,
        submitted_at -> Nullable<BigInt>,
        open -> Nullable<BigInt>,
    }
}

diesel::table! {
    list_draft_edits (draft_id, number) {
        draft_id -> Text,
        number -> BigInt,
        edit -> Text,
        person -> Text,
        edited_at -> BigInt,
        content -> Text,
    }
}

diesel::table! {
    list_draft_decisions (draft_id, revision, person) {
        draft_id -> Text,
        revision -> BigInt,
        person -> Text,
        verdict -> Text,
        decided_at -> BigInt,
        reason -> Text,
        actor -> Text,
    }
}

diesel::table! {
    listed_services (scheme, fingerprint) {
        scheme -> Text,
        fingerprint -> Text,
        name -> Text,
        status -> Text,
        since -> BigInt,
        standing -> Text,
        sequence -> BigInt,
    }
}

diesel::table! {
    accounts (id) {
        id -> Text,
        login -> Text,
        display_name -> Text,
        language -> Text,
        registered_by -> Text,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
        password -> Nullable<Text>,
        totp -> Nullable<Binary>,
        totp_step -> BigInt,
        failures -> Integer,
        locked_until -> Nullable<BigInt>,
        email -> Nullable<Text>,
        person_id -> Text,
    }
}

diesel::table! {
    roles (account_id, number) {
        account_id -> Text,
        number -> Integer,
        role -> Text,
        scope -> Text,
        until -> BigInt,
    }
}

diesel::table! {
    passkeys (credential) {
        credential -> Text,
        account_id -> Text,
        label -> Text,
        record -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    client_certificates (fingerprint) {
        fingerprint -> Text,
        account_id -> Text,
        subject -> Text,
        not_after -> BigInt,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    enrolment_codes (digest) {
        digest -> Text,
        account_id -> Text,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        attempts -> Integer,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        digest -> Text,
        account_id -> Text,
        authenticator -> Text,
        csrf -> Text,
        created_at -> BigInt,
        seen_at -> BigInt,
        factor_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    jobs (id) {
        id -> BigInt,
        kind -> Text,
        object -> Text,
        due_at -> BigInt,
        claimable_at -> BigInt,
        attempts -> Integer,
    }
}

diesel::table! {
    bulk_revocations (id) {
        id -> Text,
        selection -> Text,
        cause -> Text,
        words -> Text,
        due_at -> Nullable<BigInt>,
        matched -> BigInt,
        asked_by -> Text,
        asked_at -> BigInt,
        approvals -> Text,
        state -> Text,
        cursor_id -> Nullable<Text>,
        revoked -> BigInt,
        skipped -> BigInt,
    }
}

diesel::table! {
    tasks (id) {
        id -> Text,
        kind -> Text,
        object -> Text,
        state -> Text,
        phase -> Text,
        done -> BigInt,
        total -> BigInt,
        started_at -> BigInt,
        phase_at -> BigInt,
        changed_at -> BigInt,
        detail -> Text,
    }
}

diesel::table! {
    audit_events (chain, seq) {
        chain -> Text,
        seq -> BigInt,
        code -> Text,
        object_kind -> Text,
        object_id -> Text,
        organisation_id -> Nullable<Text>,
        record -> Text,
        prev -> Text,
        hash -> Text,
    }
}

diesel::table! {
    audit_heads (chain) {
        chain -> Text,
        seq -> BigInt,
        hash -> Text,
    }
}

diesel::table! {
    clock_checks (node) {
        node -> Text,
        source -> Text,
        offset_millis -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    authority_plans (code) {
        code -> Text,
        ceremony_id -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    ceremonies (id) {
        id -> Text,
        kind -> Text,
        script -> Text,
        record -> Text,
        record_digest -> Nullable<Text>,
        opened_at -> BigInt,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    exchanges (id, kind) {
        id -> Text,
        kind -> Text,
        root -> Text,
        digest -> Text,
        compare_code -> Text,
        signer -> Text,
        document -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    rehearsals (authority_id, at) {
        authority_id -> Text,
        at -> BigInt,
        document -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(organisations, branches, instances, certificates);

diesel::table! {
    suspensions (certificate_id, from_at) {
        certificate_id -> Text,
        from_at -> BigInt,
        until_at -> BigInt,
        because -> Text,
        by_actor -> Text,
        extension_asked_by -> Nullable<Text>,
        extended_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    acknowledgements (certificate_id) {
        certificate_id -> Text,
        due_at -> BigInt,
        challenge -> Nullable<Text>,
        challenge_until -> Nullable<BigInt>,
        acknowledged_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    containers (id) {
        id -> Text,
        organisation_id -> Text,
        branch_id -> Nullable<Text>,
        kind -> Text,
        model -> Text,
        serial -> Text,
        firmware -> Text,
        certification -> Text,
        partition_name -> Text,
        custodian_name -> Text,
        custodian_email -> Text,
        location -> Text,
        inventory -> Text,
        state -> Text,
        evidence -> Nullable<Text>,
        registered_at -> BigInt,
    }
}

diesel::table! {
    key_lives (key_id) {
        key_id -> Text,
        container_id -> Nullable<Text>,
        activated_at -> Nullable<BigInt>,
        retired_at -> Nullable<BigInt>,
        due_at -> Nullable<BigInt>,
        destroyed_at -> Nullable<BigInt>,
        class -> Nullable<Text>,
        not_evidenced_at -> Nullable<BigInt>,
        uses -> Nullable<BigInt>,
        reported_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    instance_places (instance_id) {
        instance_id -> Text,
        purpose -> Text,
        place -> Text,
    }
}

diesel::table! {
    instance_orders (id, number) {
        id -> Text,
        number -> Integer,
        application_id -> Text,
    }
}

diesel::table! {
    destruction_evidence (id) {
        id -> Text,
        key_id -> Text,
        class -> Text,
        record -> Text,
        state -> Text,
        handed_at -> BigInt,
    }
}

diesel::table! {
    discoveries (place) {
        place -> Text,
        content -> Text,
        issued_at -> BigInt,
        document -> Text,
    }
}

diesel::table! {
    destruction_intents (evidence_id) {
        evidence_id -> Text,
        key_id -> Text,
        record -> Text,
        begun_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    destruction_decisions (evidence_id, person) {
        evidence_id -> Text,
        person -> Text,
        decision -> Text,
        reason -> Text,
        decided_at -> BigInt,
    }
}

diesel::table! {
    attachments (digest) {
        digest -> Text,
        media_type -> Text,
        content -> Binary,
    }
}

diesel::table! {
    life_marks (object, kind) {
        object -> Text,
        kind -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    job_runs (kind, started_at, node) {
        kind -> Text,
        started_at -> BigInt,
        node -> Text,
        ended_at -> Nullable<BigInt>,
        outcome -> Text,
        counts -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(keys, key_lives, containers, certificates);

diesel::table! {
    blocked_keys (fingerprint) {
        fingerprint -> Text,
        list -> Text,
        reason -> Text,
        since_at -> BigInt,
    }
}

diesel::table! {
    policy_drafts (digest) {
        digest -> Text,
        id -> Text,
        version -> Text,
        text -> Text,
        document -> Text,
        author -> Text,
        drafted_at -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    policy_decisions (digest, person) {
        digest -> Text,
        person -> Text,
        verdict -> Text,
        decided_at -> BigInt,
        reason -> Text,
        actor -> Text,
    }
}

diesel::table! {
    challenges (challenge) {
        challenge -> Text,
        application_id -> Text,
        number -> Integer,
        issued_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    incidents (id) {
        id -> Text,
        kind -> Text,
        fingerprint -> Text,
        application_id -> Nullable<Text>,
        organisations -> Text,
        certificates -> Text,
        told -> Text,
        opened_at -> BigInt,
        state -> Text,
        decision -> Nullable<Text>,
        reason -> Nullable<Text>,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    feed_issuers (code) {
        code -> Text,
        public_key -> Binary,
        sequence -> BigInt,
        issued_at -> Nullable<BigInt>,
        trusted_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    feed_keys (issuer, fingerprint) {
        issuer -> Text,
        fingerprint -> Text,
        state -> Text,
        first_seen -> BigInt,
    }
}

diesel::table! {
    vendor_roots (code) {
        code -> Text,
        certificate -> Binary,
        digest -> Text,
        state -> Text,
        author -> Text,
        asked_at -> BigInt,
    }
}

diesel::table! {
    vendor_root_decisions (code, asked_at, person) {
        code -> Text,
        asked_at -> BigInt,
        person -> Text,
        verdict -> Text,
        decided_at -> BigInt,
        reason -> Text,
        actor -> Text,
    }
}

diesel::table! {
    key_evidence (id) {
        id -> Text,
        key_id -> Text,
        format -> Text,
        origin -> Text,
        device_serial -> Nullable<Text>,
        evidence -> Binary,
        digest -> Text,
        at -> BigInt,
        vendor -> Nullable<Text>,
        object_id -> Nullable<Text>,
        container_id -> Nullable<Text>,
    }
}

diesel::table! {
    notices (number) {
        number -> BigInt,
        kind -> Text,
        object_kind -> Text,
        object_id -> Text,
        organisation_id -> Nullable<Text>,
        step -> Text,
        recipient -> Text,
        address -> Nullable<Text>,
        name -> Text,
        language -> Text,
        facts -> Text,
        due_at -> BigInt,
        attempts -> Integer,
        next_at -> Nullable<BigInt>,
        claimable_at -> BigInt,
        problem -> Nullable<Text>,
        sent_at -> Nullable<BigInt>,
        acknowledged_at -> Nullable<BigInt>,
        given_up_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    proposals (id) {
        id -> Text,
        act -> Text,
        digest -> Text,
        reason -> Text,
        author -> Text,
        proposed_at -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    proposal_decisions (proposal_id, person) {
        proposal_id -> Text,
        person -> Text,
        verdict -> Text,
        decided_at -> BigInt,
        reason -> Text,
        actor -> Text,
    }
}

diesel::table! {
    accreditations (id) {
        id -> Text,
        authority_id -> Text,
        record -> Text,
        recorded_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    feed_exports (authority, sequence) {
        authority -> Text,
        sequence -> BigInt,
        digest -> Text,
        keys -> BigInt,
        issued_at -> BigInt,
    }
}

diesel::table! {
    imprints (digest) {
        digest -> Text,
        media_type -> Text,
        picture -> Binary,
        kept_at -> BigInt,
    }
}

diesel::table! {
    leis (lei) {
        lei -> Text,
        organisation_id -> Text,
        proofed_at -> BigInt,
    }
}

diesel::table! {
    list_sources (code) {
        code -> Text,
        location -> Text,
        trust -> Text,
        trusted_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    list_snapshots (id) {
        id -> Text,
        list -> Text,
        address -> Text,
        sequence -> BigInt,
        issued_at -> BigInt,
        next_update -> Nullable<BigInt>,
        signer -> Text,
        digest -> Text,
        taken_at -> BigInt,
        xml -> Binary,
    }
}

diesel::table! {
    followed_lists (code) {
        code -> Text,
        source -> Text,
        location -> Text,
        territory -> Nullable<Text>,
        snapshot -> Nullable<Text>,
        etag -> Nullable<Text>,
        last_modified -> Nullable<Text>,
        checked_at -> Nullable<BigInt>,
        confirmed_at -> Nullable<BigInt>,
        problem -> Nullable<Text>,
        detail -> Text,
        troubled_at -> Nullable<BigInt>,
        dropped_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    list_deliveries (address) {
        address -> Text,
        scheme -> Text,
        live -> BigInt,
        sequence -> Nullable<BigInt>,
        etag -> Nullable<Text>,
        checked_at -> BigInt,
        served_at -> Nullable<BigInt>,
        problem -> Nullable<Text>,
        detail -> Text,
    }
}

diesel::table! {
    list_pivots (source, address) {
        source -> Text,
        address -> Text,
        digest -> Text,
        kept_at -> BigInt,
        xml -> Binary,
    }
}

diesel::table! {
    service_tokens (id) {
        id -> Text,
        account_id -> Text,
        label -> Text,
        secret_digest -> Nullable<Text>,
        algorithm -> Nullable<Text>,
        public_key -> Nullable<Binary>,
        fingerprint -> Nullable<Text>,
        permissions -> Text,
        created_at -> BigInt,
        until_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    api_answers (account_id, idempotency_key) {
        account_id -> Text,
        idempotency_key -> Text,
        request -> Text,
        begun_at -> BigInt,
        status -> Nullable<Integer>,
        digest -> Nullable<Text>,
        media_type -> Nullable<Text>,
        body -> Nullable<Binary>,
    }
}

diesel::table! {
    batches (id) {
        id -> Text,
        organisation_id -> Text,
        level -> SmallInt,
        validity_days -> Nullable<BigInt>,
        grant_id -> Nullable<Text>,
        digest -> Text,
        row_count -> BigInt,
        asked_by -> Text,
        asked_at -> BigInt,
        state -> Text,
    }
}

diesel::table! {
    batch_rows (batch_id, line) {
        batch_id -> Text,
        line -> BigInt,
        branch_id -> Text,
        code -> Text,
        state -> Text,
        application_id -> Nullable<Text>,
        proof -> Nullable<Binary>,
        refusal -> Nullable<Text>,
        certificate_id -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(feed_keys, keys);
diesel::allow_tables_to_appear_in_same_query!(certificates, applications);
