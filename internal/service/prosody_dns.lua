-- Prosody's own resolver, which it uses where lua-unbound is not installed, asks port 53 of the servers in /etc/resolv.conf.
-- This makes it ask 127.0.0.1 at the port of the test's resolver.
local dns = require "net.dns";
local socket = require "socket";

local port = module:get_option_number("service_dns_port");

getmetatable(dns.resolver()).__index.adddefaultnameservers = function (resolver)
	resolver:addnameserver("127.0.0.1");
end

local probe = (socket.udp4 or socket.udp)();
local methods = getmetatable(probe).__index;
probe:close();
local setpeername = methods.setpeername;
function methods.setpeername(sock, peer, peer_port)
	return setpeername(sock, peer, peer_port == 53 and port or peer_port);
end
