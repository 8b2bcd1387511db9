/// One thing that is done to the servers or to the balancer in front of them. Servers are counted from 0.
package enum Disturbance: Hashable, Sendable {
    /// SIGKILL to the server.
    case kill(Int)
    /// SIGTERM to the server.
    case terminate(Int)
    /// Starts a server again that was killed or terminated.
    case start(Int)
    /// SIGSTOP to the server.
    case stop(Int)
    /// SIGCONT to the server.
    case resume(Int)
    /// The balancer keeps the server's sessions and gives it no new ones.
    case drain(Int)
    /// The balancer uses the server as before.
    case undrain(Int)
    /// The balancer reads its configuration again; `changes`: it is another one than before.
    case reload(changes: Bool)
    /// A new key on top of those that sign session ids.
    case rotateKey
    /// Another certificate and key in the files of the listener.
    case rotateCertificate
    /// A new process of the balancer takes over, with this number of workers.
    case upgrade(workers: Int)

    /// The kinds, as a verdict counts them.
    package enum Kind: String, CaseIterable, Codable, Sendable {
        case kill = "kills"
        case stop = "stops"
        case restart = "restarts"
        case drain = "drains"
        case reload = "reloads"
        case rotateKey = "key rotations"
        case rotateCertificate = "certificate rotations"
        case upgrade = "upgrades"
    }

    /// The kind that it is the beginning of; nil for what belongs to one that has begun.
    package var kind: Kind? {
        switch self {
        case .kill: .kill
        case .stop: .stop
        case .terminate: .restart
        case .drain: .drain
        case .reload: .reload
        case .rotateKey: .rotateKey
        case .rotateCertificate: .rotateCertificate
        case .upgrade: .upgrade
        case .start, .resume, .undrain: nil
        }
    }

    /// The server that it is done to; nil for the balancer.
    package var server: Int? {
        switch self {
        case .kill(let server), .terminate(let server), .start(let server), .stop(let server), .resume(let server),
            .drain(let server), .undrain(let server):
            server
        case .reload, .rotateKey, .rotateCertificate, .upgrade: nil
        }
    }
}
