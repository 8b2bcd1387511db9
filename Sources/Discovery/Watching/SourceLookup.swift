import Kernel

/// How a source is asked. May block for seconds; each source is asked on a thread of its own.
package struct SourceLookup: Sendable {
    /// Asks the source of a plan.
    package var ask: @Sendable (DiscoveryPlan) -> Result<DiscoveryAnswer, DiscoveryFailure>

    package init(ask: @escaping @Sendable (DiscoveryPlan) -> Result<DiscoveryAnswer, DiscoveryFailure>) {
        self.ask = ask
    }

    /// The system's resolver and files.
    package static let system = SourceLookup { plan in
        let query = DNSQuery(server: plan.nameServer)
        let names = AddressLookup { name, kind in
            do throws(DNSQuery.Failure) { return .success(try query.ask(name, kind)) } catch { return .failure(error) }
        }
        switch plan.source {
        case .dns(let name, let port): return names.servers(of: name, port: port)
        case .srv(let name): return names.servers(ofService: name)
        case .file(let path):
            do throws(SystemError) {
                let text = try SmallFile.read(path, limit: TargetFile.maximumBytes)
                return TargetFile.servers(text.span)
            } catch {
                return .failure(DiscoveryFailure(.unreadable, "\(path): \(error)"))
            }
        }
    }
}
