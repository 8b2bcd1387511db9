package import Configuration
import Kernel
package import Logging
package import TLS

/// What session ids are signed with and session tickets encrypted with, and the files that have it.
package struct SessionSecrets: Sendable {
    /// Nil if the keys are of the environment, or temporary.
    let keyFile: String?
    /// Beside the key file; nil if there is none: the secret is then this process's own.
    let ticketFile: String?
    /// The first signs, all verify.
    package private(set) var keys: [SigningKey]
    /// Shared by all listeners. Renewed in place.
    package let tickets: TicketSecrets
    private(set) var ratchet: TicketRatchet
    /// Problems that were said already: each is said once.
    private var problems: Set<String> = []

    /// Reads, or makes, what a configuration says. Throws if a file exists that cannot be used. Without a place to keep new
    /// keys they are temporary, which the log says.
    package init(_ configuration: Configuration, log: Logger) throws(StartError) {
        let time = Int64(WallClock.seconds())
        switch configuration.global.secret {
        case .file(let path):
            try self.init(file: path, at: time, log: log)
        case .key(let key):
            self.init(keys: [SigningKey(key)], at: time)
        case nil:
            guard configuration.upstreams.contains(where: { $0.session.affinity == .signed }) else {
                self.init(keys: [], at: time)
                return
            }
            try self.init(default: KeyFile.defaultPath, at: time, log: log)
        }
    }

    /// The secrets in the default file, which need not be possible to make.
    init(default path: String, at time: Int64, log: Logger) throws(StartError) {
        let existed = KeyFile.exists(path)
        do throws(StartError) {
            try self.init(file: path, at: time, log: log)
        } catch {
            if existed { throw error }
            log.warning(
                "\(error); session ids are signed with a temporary key and become invalid when this process ends")
            self.init(keys: [SigningKey(Machine.randomBytes(SigningKey.bytes))], at: time)
        }
    }

    /// The secrets in a key file, and in the ticket file beside it.
    init(file path: String, at time: Int64, log: Logger) throws(StartError) {
        keys = try KeyFile.load(path, at: time)
        keyFile = path
        let beside = path + ".tickets"
        var stored: TicketRatchet?
        do throws(StartError) {
            stored = try TicketFile.load(beside, at: time)
        } catch {
            // The folder of a key file that an operator provides may be one that nothing can be written to.
            if KeyFile.exists(beside) { throw error }
            log.notice("\(error); TLS sessions are resumed by this process only")
        }
        ticketFile = stored == nil ? nil : beside
        ratchet = stored ?? .random(at: time, Machine.randomBytes(TicketRatchet.bytes))
        tickets = TicketSecrets([])
        renewTickets(at: time, log: log)
    }

    private init(keys: [SigningKey], at time: Int64) {
        self.keys = keys
        (keyFile, ticketFile) = (nil, nil)
        ratchet = .random(at: time, Machine.randomBytes(TicketRatchet.bytes))
        tickets = TicketSecrets(ratchet.secrets(at: time))
    }

    // MARK: - While a proxy runs

    /// Reads the key file again; the keys in their new order if they, or their order, have changed since. A file that cannot be
    /// used changes nothing.
    mutating func changedKeys(at time: Int64, log: Logger) -> [SigningKey]? {
        guard let keyFile else { return nil }
        do throws(StartError) {
            let found = try KeyFile.loadExisting(keyFile, at: time)
            guard let found, found != keys else { return nil }
            keys = found
            log.notice("session keys have changed: \(found.count) verify, number \(found[0].id) signs")
            return found
        } catch {
            if problems.insert(error.description).inserted {
                log.error("a new version of the key file cannot be used, the keys before it stay: \(error)")
            }
            return nil
        }
    }

    /// Uses the secrets of the present period, and leaves no older one in the file than the clocks of a fleet may need.
    mutating func renewTickets(at time: Int64, log: Logger) {
        if let ticketFile {
            do throws(StartError) {
                if let stored = try TicketFile.read(ticketFile), !stored.secrets(at: time).isEmpty { ratchet = stored }
            } catch {
                if problems.insert(error.description).inserted { log.error("\(error)") }
            }
        }
        if ratchet.secrets(at: time).isEmpty {
            if problems.insert("late").inserted {
                log.warning("the ticket secret is of a later time; TLS sessions are resumed by this process only")
            }
            ratchet = .random(at: time, Machine.randomBytes(TicketRatchet.bytes))
        } else if let later = ratchet.advanced(to: TicketRatchet.period(at: time) - 1), later != ratchet {
            ratchet = later
            write(log)
        }
        let secrets = ratchet.secrets(at: time)
        if tickets.secrets != secrets { tickets.replace(secrets) }
    }

    private mutating func write(_ log: Logger) {
        guard let ticketFile else { return }
        do throws(StartError) {
            try TicketFile.write(ticketFile, ratchet)
        } catch {
            if problems.insert(error.description).inserted {
                log.notice("\(error); an older ticket secret stays in it")
            }
        }
    }
}
