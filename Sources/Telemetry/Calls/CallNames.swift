/// What the numbers in a `CallEvent` stand for: a value that the proxy publishes when it starts and after each reload.
package struct CallNames: Sendable {
    /// A name, and how it stands in a line.
    package struct Name: Sendable, Equatable {
        package let text: String
        /// The text as it stands between the quotes of a JSON string.
        package let json: [UInt8]

        package init(_ text: String) {
            self.text = text
            var line = LogLine()
            line.appendEscaped(text)
            json = line.bytes
        }

        /// Nothing has this name.
        package static let none = Name("")
    }

    /// A server, and the upstream it belongs to.
    package struct Server: Sendable, Equatable {
        package var name: Name
        package var upstream: Name

        package init(_ name: String, upstream: String) {
            self.name = Name(name)
            self.upstream = Name(upstream)
        }
    }

    /// By the position in the snapshot.
    package var upstreams: [Name] = []
    /// By slot of the server table; nil: nothing is there. One that was removed keeps its name until another gets the slot.
    package var servers: [Server?] = []
    /// Addresses, by the number in `CallEvent.listener`.
    package var listeners: [Name] = []
    /// `data.reason` of the responses of Berth's own, by the number in `CallEvent.reason`.
    package var reasons: [Name] = []
    /// HTTP methods, by the number in `CallEvent.httpMethod`.
    package var httpMethods: [Name] = []

    package init() {}

    /// Keeps the servers of `older` where this one knows none: calls that ended before a reload are still to be written.
    package mutating func inherit(_ older: CallNames) {
        while servers.count < older.servers.count { servers.append(nil) }
        for (slot, server) in older.servers.enumerated() where servers[slot] == nil { servers[slot] = server }
    }

    /// The server of a call; nil if none was selected.
    package func server(of event: borrowing CallEvent) -> Server? {
        let slot = Int(event.server)
        return servers.indices.contains(slot) ? servers[slot] : nil
    }

    /// The upstream of a call: its server's, for a server keeps its slot over reloads and an upstream not its position.
    package func upstream(of event: borrowing CallEvent) -> Name? {
        if let server = server(of: event) { return server.upstream }
        return upstreams.name(Int(event.upstream))
    }

    /// The listener that a call came to.
    package func listener(of event: borrowing CallEvent) -> Name? { listeners.name(Int(event.listener)) }

    /// Why Berth answered itself; nil if it did not.
    package func reason(of event: borrowing CallEvent) -> Name? { reasons.name(Int(event.reason)) }

    /// The HTTP method; nil if it has no name.
    package func httpMethod(of event: borrowing CallEvent) -> Name? { httpMethods.name(Int(event.httpMethod)) }
}

extension [CallNames.Name] {
    fileprivate func name(_ index: Int) -> CallNames.Name? { indices.contains(index) ? self[index] : nil }
}
