"""No two modules import each other, not even for types alone or inside a function: a reader would go in circles."""

from __future__ import annotations

import grimp
import networkx as nx


def test_no_module_imports_in_a_circle() -> None:
    imports = grimp.build_graph("interlock", exclude_type_checking_imports=False, cache_dir=None)
    graph = nx.DiGraph(
        (module, imported)
        for module in imports.modules
        for imported in imports.find_modules_directly_imported_by(module)
    )
    assert graph.number_of_edges() > 1_000
    assert [sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1] == []
