import ArgumentParser

@main
struct Berth: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "The load balancer for MCP servers.", version: "0.1.0")
}
