-- Rows of the access log, one a call, written before its answer leaves. An
-- address that is none (never so behind our own listener) is stored as null.
create function transaction.write_access_logs(
	p_services uuid[], p_keys uuid[], p_endpoints text[], p_methods text[],
	p_addresses text[], p_agents text[], p_statuses smallint[],
	p_request_ids text[]
) returns bigint
language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
	with written as (
		insert into transaction.api_access_logs (external_service_id,
			api_key_id, endpoint, http_method, ip_address, user_agent,
			response_status, request_id)
		select u.service, u.key, u.endpoint, u.method,
			nullif(u.address, '')::inet, u.agent, u.status, u.request_id
		from unnest(p_services, p_keys, p_endpoints, p_methods, p_addresses,
			p_agents, p_statuses, p_request_ids)
			u(service, key, endpoint, method, address, agent, status, request_id)
		returning 1
	)
	select count(*) from written;
$$;
grant execute on function transaction.write_access_logs(uuid[], uuid[], text[],
	text[], text[], text[], smallint[], text[]) to onegate_regulator;
