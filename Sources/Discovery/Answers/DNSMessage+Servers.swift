import Kernel

/// What messages say about servers. An answer may be forged: nothing in it is used but addresses, ports and shares, and of those
/// only what can be a server's.
extension DNSMessage {
    /// A record of a service that is to be had.
    struct Service {
        var priority: UInt16
        var weight: UInt16
        var port: UInt16
        var target: String
    }

    /// The addresses of the answer, each once, and for how many seconds they hold: as long as all its records do, those that lead
    /// from one name to another included.
    func addresses() -> (addresses: [SocketAddress], ttl: UInt32) {
        var found: [SocketAddress] = []
        var seen: Set<SocketAddress> = []
        for record in records where !record.isAdditional {
            guard case .address(let address) = record.content, address.canBeServer, seen.insert(address).inserted
            else { continue }
            found.append(address)
        }
        return (found, answerTTL)
    }

    /// For how many seconds all records of the answer hold.
    var answerTTL: UInt32 { records.filter { !$0.isAdditional }.map(\.ttl).min() ?? 0 }

    /// The services of the answer, each target and port once. The root as a target says that there is no service (RFC 2782).
    var services: [Service] {
        var found: [Service] = []
        var seen: Set<String> = []
        for record in records where !record.isAdditional {
            guard case .service(let priority, let weight, let port, let target) = record.content, !target.isEmpty,
                port > 0, seen.insert("\(target):\(port)").inserted
            else { continue }
            found.append(Service(priority: priority, weight: weight, port: port, target: target))
        }
        return found
    }

    /// The addresses that came beside the answer, by name.
    var additionalAddresses: [String: (addresses: [SocketAddress], ttl: UInt32)] {
        var found: [String: (addresses: [SocketAddress], ttl: UInt32)] = [:]
        for record in records where record.isAdditional {
            guard case .address(let address) = record.content, address.canBeServer else { continue }
            var entry = found[record.name] ?? ([], record.ttl)
            if !entry.addresses.contains(address) { entry.addresses.append(address) }
            entry.ttl = min(entry.ttl, record.ttl)
            found[record.name] = entry
        }
        return found
    }
}

extension SocketAddress {
    /// Whether it can be one server's: it is not the unspecified address, not multicast, not broadcast, and needs no interface to be
    /// reached (RFC 6890, RFC 4291 section 2.5.6).
    var canBeServer: Bool {
        if isIPv4 {
            let address = UInt32(truncatingIfNeeded: low)
            return address >> 24 != 0 && address >> 28 < 14
        }
        let isUnspecified = high == 0 && low == 0
        return !isUnspecified && high >> 56 != 0xff && high >> 54 != 0xfe80 >> 6
    }
}
