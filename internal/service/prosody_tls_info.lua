-- mod_sasl2 of Debian 12 is made for a newer Prosody than the one beside it: it asks a connection for a method that is not there, and
-- then no features are sent at all. Here is one that tells nothing, so that SASL2 is offered without channel binding.
module:set_global();

function module.add_host(host_module)
	host_module:hook("stream-features", function (event)
		local conn = event.origin.conn;
		if conn and not conn.ssl_info then conn.ssl_info = function () return nil; end end
	end, 1000);
end
