// SPDX-License-Identifier: Apache-2.0

package ejabberd

// command is one of the few commands that this package can send: an index into specs.
//
// The list is closed, and what makes ejabberd query its SQL database is not on it: registered_users, stats and stats_host with
// registeredusers, get_offline_count, get_last, check_account … With PostgreSQL down these answer after 60 s, with HTTP 200 and
// 0. With a slow PostgreSQL a call that we give up goes on inside ejabberd and keeps one of the few connections that logins
// need. Such facts are read from PostgreSQL, with a role and time limits of our own.
type command int

const (
	status command = iota
	registeredVhosts
	uptimeSeconds
	processes
	onlineUsers
	connectedUsersNumber
	incomingS2S
	outgoingS2S
	listCluster
	listClusterDetailed
	onlineRoomsCount
	connectedUsers
	connectedUsersInfo
	onlineRooms
)

// spec is how a command is sent and answered.
type spec struct {
	name     string // in the URL and in errors
	stat     string // argument "name" of stats and stats_host
	service  string // argument "service" of the commands about rooms
	key      string // key around a number up to 23.10: {"stat":3}; later just 3
	list     bool   // lists all sessions or rooms: streamed, and given more time
	sessions bool   // would be a query with sm_db_type: sql
}

var specs = [...]spec{
	status:               {name: "status"},
	registeredVhosts:     {name: "registered_vhosts"},
	uptimeSeconds:        {name: "stats", stat: "uptimeseconds", key: "stat"},
	processes:            {name: "stats", stat: "processes", key: "stat"},
	onlineUsers:          {name: "stats_host", stat: "onlineusers", key: "stat", sessions: true},
	connectedUsersNumber: {name: "connected_users_number", key: "num_sessions", sessions: true},
	incomingS2S:          {name: "incoming_s2s_number", key: "s2s_incoming"},
	outgoingS2S:          {name: "outgoing_s2s_number", key: "s2s_outgoing"},
	listCluster:          {name: "list_cluster"},
	listClusterDetailed:  {name: "list_cluster_detailed", sessions: true},
	onlineRoomsCount:     {name: "muc_online_rooms_count", service: allServices},
	connectedUsers:       {name: "connected_users", list: true, sessions: true},
	connectedUsersInfo:   {name: "connected_users_info", list: true, sessions: true},
	onlineRooms:          {name: "muc_online_rooms", service: allServices, list: true},
}

// Commands returns the names of the commands that a Client sends, for api_permissions: those that answer with numbers, and
// those that name accounts, addresses and rooms, which should be allowed to an account of its own only.
func Commands() (numbers, personal []string) {
	for _, s := range specs {
		switch {
		case s.list:
			personal = append(personal, s.name)
		case s.stat != specs[processes].stat: // stats is named once
			numbers = append(numbers, s.name)
		}
	}
	return numbers, personal
}
